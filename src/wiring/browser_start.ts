import type { BrowserFamily } from "../platform/find_browser.ts";

/** What a browser is started with. */
export interface BrowserStart {
  readonly args: readonly string[];
  /** What must be in its profile folder, by file name. */
  readonly files: ReadonlyMap<string, string>;
}

/** What it is to do. */
export interface BrowserWish {
  /** Its profile folder, absolute. */
  readonly profile: string;
  /** URL of the PAC file. */
  readonly pac: string;
  /** The user's own arguments. */
  readonly extra: readonly string[];
  /** What it opens. */
  readonly addresses: readonly string[];
  readonly os: typeof Deno.build.os;
}

/**
 * How a browser is started with a profile of its own and a PAC file, without questions a fresh profile would bring: about the first run, default browsers,
 * keyrings, terms. Plain http stays plain, since that is what services speak. The user's arguments come after ours, so theirs hold.
 */
export function browserStart(family: BrowserFamily, wish: BrowserWish): BrowserStart {
  return family === "firefox" ? firefox(wish) : chromium(wish);
}

function chromium({ profile, pac, extra, addresses }: BrowserWish): BrowserStart {
  const args = [
    `--user-data-dir=${profile}`,
    `--proxy-pac-url=${pac}`,
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-search-engine-choice-screen",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
    "--disable-background-networking",
    "--disable-component-update",
    "--password-store=basic", // Linux: no keyring asks for its password
    "--use-mock-keychain", // the same of macOS
  ];
  return { args: [...args, ...extra, ...addresses], files: new Map() };
}

function firefox({ profile, pac, extra, addresses, os }: BrowserWish): BrowserStart {
  // On Windows the process that was started ends at once unless it is asked to wait for the one it starts.
  const wait = os === "windows" ? ["--wait-for-browser"] : [];
  const preferences = { ...firefoxPreferences, "network.proxy.autoconfig_url": pac };
  const lines = Object.entries(preferences).map(([name, value]) =>
    `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`
  );
  return {
    args: ["--no-remote", "--profile", profile, ...wait, ...extra, ...addresses],
    files: new Map([["user.js", lines.join("")]]),
  };
}

const firefoxPreferences = {
  "network.proxy.type": 2, // a PAC file
  "network.proxy.socks_remote_dns": true,
  "network.stricttransportsecurity.preloadlist": false, // orders.dev may be a service in namespace dev
  "dom.security.https_first": false,
  "dom.security.https_first_schemeless": false,
  "browser.fixup.dns_first_for_single_words": true, // "orders" in the address bar is a host
  "browser.shell.checkDefaultBrowser": false,
  "browser.aboutwelcome.enabled": false,
  "browser.preonboarding.enabled": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "startup.homepage_welcome_url": "",
  "datareporting.policy.dataSubmissionEnabled": false, // and no page that tells of it
  "toolkit.telemetry.reportingpolicy.firstRun": false,
  "browser.tabs.warnOnClose": false,
};
