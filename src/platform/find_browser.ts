import { posix, win32 } from "node:path";
import { Failure } from "./failure.ts";
import { findProgram } from "./program.ts";
import type { Environment } from "./proxy_settings.ts";
import type { WindowsRegistry } from "./windows_registry.ts";

/** Browsers that are known by name, in the order in which they are looked for. */
export const browserNames = ["chrome", "edge", "chromium", "firefox"] as const;

/** One of {@linkcode browserNames}. */
export type BrowserName = (typeof browserNames)[number];

/** Whose command line a browser understands. */
export type BrowserFamily = "chromium" | "firefox";

/** A browser on this machine. */
export interface Browser {
  /** For people. */
  readonly name: string;
  readonly family: BrowserFamily;
  /** Its program. */
  readonly path: string;
}

/** Where browsers are looked for. */
export interface FindBrowserDeps {
  readonly os: typeof Deno.build.os;
  readonly env: Environment;
  /** Windows only. */
  readonly registry: Pick<WindowsRegistry, "read">;
  /** Default: whether there is such a file. */
  readonly isFile?: (path: string) => Promise<boolean>;
}

interface Known {
  readonly title: string;
  readonly family: BrowserFamily;
  /** Names on PATH. */
  readonly programs: readonly string[];
  /** Below `/Applications`, of the system or the user. */
  readonly bundle: string;
  /** Below the folders of programs, of the system or the user. */
  readonly windows: string;
}

const known: Readonly<Record<BrowserName, Known>> = {
  chrome: {
    title: "Chrome",
    family: "chromium",
    programs: ["google-chrome", "google-chrome-stable"],
    bundle: "Google Chrome.app/Contents/MacOS/Google Chrome",
    windows: "Google\\Chrome\\Application\\chrome.exe",
  },
  edge: {
    title: "Edge",
    family: "chromium",
    programs: ["microsoft-edge", "microsoft-edge-stable"],
    bundle: "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    windows: "Microsoft\\Edge\\Application\\msedge.exe",
  },
  chromium: {
    title: "Chromium",
    family: "chromium",
    programs: ["chromium", "chromium-browser"],
    bundle: "Chromium.app/Contents/MacOS/Chromium",
    windows: "Chromium\\Application\\chrome.exe",
  },
  firefox: {
    title: "Firefox",
    family: "firefox",
    programs: ["firefox", "firefox-esr"],
    bundle: "Firefox.app/Contents/MacOS/firefox",
    windows: "Mozilla Firefox\\firefox.exe",
  },
};

/**
 * The browser called `wanted`, or that program, or else the first that is here. Throws a {@linkcode Failure} that says where it was looked
 * for, or a `ProgramError` for a program that is not there.
 */
export async function findBrowser(wanted: string | undefined, deps: FindBrowserDeps): Promise<Browser> {
  const names = wanted === undefined ? browserNames : browserNames.filter((name) => name === wanted);
  for (const name of names) {
    const { title, family } = known[name];
    const path = await locate(known[name], deps);
    if (path !== undefined) return { name: title, family, path };
  }
  if (wanted === undefined || names.length > 0) {
    const titles = names.map((name) => known[name].title);
    const places = { windows: "the folders of programs and the registry", darwin: "Applications" }[deps.os as string];
    throw new Failure(
      `No ${titles.join(", ")} in ${places ?? "any folder of PATH"}: name the program of a browser with --browser PATH`,
    );
  }
  const path = await findProgram(wanted, deps);
  const name = (deps.os === "windows" ? win32 : posix).basename(path).replace(/\.exe$/i, "");
  return { name, family: /firefox|librewolf|waterfox/i.test(name) ? "firefox" : "chromium", path };
}

async function locate(browser: Known, deps: FindBrowserDeps): Promise<string | undefined> {
  const { os, env, isFile = fileExists } = deps;
  switch (os) {
    case "windows": {
      const folders = ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].map((name) => env[name]);
      const places = folders.flatMap((folder) => folder ? [win32.join(folder, browser.windows)] : []);
      return await firstFile(places, isFile) ?? await firstFile(registered(browser, deps), isFile);
    }
    case "darwin": {
      const roots = ["/Applications", ...env.HOME ? [posix.join(env.HOME, "Applications")] : []];
      return await firstFile(roots.map((root) => posix.join(root, browser.bundle)), isFile);
    }
    default: {
      const folders = (env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
      return await firstFile(
        browser.programs.flatMap((program) => folders.map((folder) => posix.join(folder, program))),
        isFile,
      );
    }
  }
}

/** Programs that were installed elsewhere. Chromium has the entry of Chrome, so what is found there must be in a folder of the right name. */
function registered({ windows }: Known, { registry }: FindBrowserDeps): string[] {
  const program = win32.basename(windows);
  const key = `Software\\Microsoft\\Windows\\CurrentVersion\\App Paths\\${program}`;
  return (["HKCU", "HKLM"] as const).flatMap((root) => {
    const value = registry.read(root, key, "");
    if (typeof value?.data !== "string") return [];
    const path = value.data.replace(/^"(.*)"$/, "$1");
    return /[\\/]chromium[\\/]/i.test(path) === /chromium/i.test(windows) ? [path] : [];
  });
}

async function firstFile(
  paths: readonly string[],
  isFile: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const path of paths) {
    if (await isFile(path)) return path;
  }
}

async function fileExists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
