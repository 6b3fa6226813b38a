import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { findBrowser, type FindBrowserDeps } from "../../src/platform/find_browser.ts";
import { ProgramError } from "../../src/platform/program.ts";

const emptyRegistry: FindBrowserDeps["registry"] = { read: () => undefined };

function machine(deps: Partial<FindBrowserDeps>, ...files: string[]): FindBrowserDeps {
  return {
    os: "linux",
    env: { PATH: "/usr/bin:relative:/snap/bin" },
    registry: emptyRegistry,
    isFile: (path) => Promise.resolve(files.includes(path)),
    ...deps,
  };
}

describe("findBrowser", () => {
  it("takes the first it knows, in an order that is the same everywhere", async () => {
    const deps = machine({}, "/usr/bin/firefox", "/snap/bin/chromium");
    assertEquals(await findBrowser(undefined, deps), {
      name: "Chromium",
      family: "chromium",
      path: "/snap/bin/chromium",
    });
    assertEquals((await findBrowser("firefox", deps)).path, "/usr/bin/firefox");
  });

  it("finds applications of the system and of the user on macOS", async () => {
    const chrome = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    const edge = "/Users/jo/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge";
    const deps = machine({ os: "darwin", env: { HOME: "/Users/jo" } }, chrome, edge);
    assertEquals((await findBrowser(undefined, deps)).path, chrome);
    assertEquals((await findBrowser("edge", deps)).path, edge);
  });

  it("finds what is installed for all or for the user on Windows", async () => {
    const env = {
      ProgramFiles: "C:\\Program Files",
      "ProgramFiles(x86)": "C:\\Program Files (x86)",
      LOCALAPPDATA: "C:\\Users\\jo\\AppData\\Local",
    };
    const chrome = "C:\\Users\\jo\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe";
    const edge = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe";
    const deps = machine({ os: "windows", env }, chrome, edge);
    assertEquals((await findBrowser(undefined, deps)).path, chrome);
    assertEquals((await findBrowser("edge", deps)).path, edge);
  });

  it("asks the registry of Windows for what is elsewhere, and tells Chromium there from Chrome", async () => {
    const path = "D:\\Apps\\Chromium\\Application\\chrome.exe";
    const registry: FindBrowserDeps["registry"] = {
      read: (root, key, name) =>
        root === "HKLM" && key.endsWith("\\App Paths\\chrome.exe") && name === ""
          ? { type: "REG_SZ", data: `"${path}"` }
          : undefined,
    };
    const deps = machine({ os: "windows", env: {}, registry }, path);
    assertEquals(await findBrowser(undefined, deps), { name: "Chromium", family: "chromium", path });
    await assertRejects(() => findBrowser("chrome", deps), Failure, "No Chrome in");
  });

  it("says what it looked for where there is none", async () => {
    await assertRejects(
      () => findBrowser(undefined, machine({})),
      Failure,
      "No Chrome, Edge, Chromium, Firefox in any folder of PATH: name the program",
    );
  });

  it("takes the program of another browser, and knows Firefox's relatives by their names", async () => {
    const folder = await Deno.makeTempDir();
    try {
      for (const name of ["brave.exe", "librewolf.exe"]) {
        await Deno.writeTextFile(`${folder}/${name}`, "", { mode: 0o755 });
      }
      const deps = machine({ env: { PATH: folder }, os: Deno.build.os });
      const brave = await findBrowser("brave.exe", deps);
      assertEquals([brave.name, brave.family], ["brave", "chromium"]);
      assertEquals((await findBrowser(`${folder}/librewolf.exe`, deps)).family, "firefox");
      await assertRejects(() => findBrowser("opera", deps), ProgramError, '"opera"');
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
