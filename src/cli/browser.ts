import { join } from "node:path";
import { type Browser, findBrowser } from "../platform/find_browser.ts";
import { writePrivateFile } from "../platform/private_file.ts";
import { runBrowser } from "../platform/run_browser.ts";
import { windowsRegistry } from "../platform/windows_registry.ts";
import { browserAddress } from "../wiring/browser_address.ts";
import { BrowserProfiles } from "../wiring/browser_profiles.ts";
import { browserStart } from "../wiring/browser_start.ts";
import { type PlainHttpAddress, plainHttpAddress } from "../wiring/plain_http_address.ts";
import { profilesFolder } from "../wiring/profiles_folder.ts";
import { type ProxyAddress, withVariables } from "../wiring/variables.ts";
import { openConnection } from "./connection.ts";
import { connectionOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { BrowserInvocation } from "./grammar/browser.ts";
import { outsidePac } from "./outside_pac.ts";
import { chooseSession } from "./running_sessions.ts";
import { understood } from "./understood.ts";
import { warnOfAddresses } from "./warn_of_addresses.ts";

interface Wish {
  readonly browser: Browser;
  /** URLs. */
  readonly addresses: readonly string[];
  /** The browser's own arguments. */
  readonly extra: readonly string[];
}

/** `hawser browser`. Prints nothing of its own on stdout; exits with the browser's status. */
export async function browser({ options, words }: BrowserInvocation, deps: CliDeps): Promise<number> {
  const split = words.findIndex((word) => word.startsWith("-"));
  const named = split < 0 ? words : words.slice(0, split);
  const wish: Wish = {
    addresses: named.map((word) => understood("browser", () => browserAddress(word))),
    extra: split < 0 ? [] : words.slice(split),
    browser: await findBrowser(options.browser, { ...deps, registry: windowsRegistry }),
  };
  const interrupts = deps.watchInterrupts();
  try {
    if (options.session !== undefined) {
      const { note } = await chooseSession(options.session, deps);
      return await open(wish, inBrowser(wish, note.namespace), note, deps, interrupts.signal);
    }
    deps.terminal.progress("Connecting…");
    const connection = await openConnection(
      await connectionOptions(options),
      { ...deps, outsidePac: outsidePac(deps) },
      interrupts.signal,
    );
    try {
      const { router, directory, proxy } = connection;
      const addresses = inBrowser(wish, directory.namespace);
      await warnOfAddresses(addresses.map(({ href }) => href), { ...deps, router }, interrupts.signal);
      return await open(wish, addresses, proxy, deps, interrupts.signal);
    } finally {
      await connection.close();
    }
  } finally {
    interrupts.close();
  }
}

function inBrowser({ addresses }: Wish, namespace: string): PlainHttpAddress[] {
  return addresses.map((each) => plainHttpAddress(each, namespace));
}

async function open(
  { browser, extra }: Wish,
  addresses: readonly PlainHttpAddress[],
  proxy: ProxyAddress,
  deps: CliDeps,
  signal: AbortSignal,
): Promise<number> {
  const { env, os, clock, terminal } = deps;
  const profiles = new BrowserProfiles(await profilesFolder(browser.path, deps.paths().state, { env }), { clock });
  await profiles.sweep();
  await using profile = await profiles.create();
  const { args, files } = browserStart(browser.family, {
    profile: profile.path,
    pac: `http://127.0.0.1:${proxy.port}/proxy.pac`,
    extra,
    addresses: addresses.map(({ href }) => href),
    os,
  });
  for (const [name, text] of files) await writePrivateFile(join(profile.path, name), text);
  tell(browser, addresses, proxy, terminal);
  await terminal.flush();
  const { status, complaint } = await runBrowser(browser.path, args, {
    env: withVariables(env, {}, os),
    os,
    signal,
    clock,
    onStart: (pid) => profile.usedBy(pid),
  });
  signal.throwIfAborted();
  if (status !== 0) {
    terminal.tell(`${browser.name} has ended with status ${status}. Its last words:\n${complaint}`);
    // As root, and in containers.
    if (complaint.includes("--no-sandbox")) {
      terminal.tell("To give it that argument, end the command with: -- --no-sandbox");
    }
  }
  return status;
}

function tell(
  browser: Browser,
  addresses: readonly PlainHttpAddress[],
  { auth }: ProxyAddress,
  terminal: CliDeps["terminal"],
): void {
  for (const { href, because } of addresses) {
    if (because !== undefined) terminal.tell(`Opening ${href} instead, since ${because}`);
  }
  if (auth) {
    terminal.tell(`${browser.name} will ask for a name and a password: ${auth.username} and ${auth.password}`);
  }
  terminal.tell(
    `Opening ${browser.name}. In its address bar, end names with a slash (orders/), or it searches for them; Ctrl-C closes it`,
  );
}
