import { assertEquals, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { windowsRegistry } from "../../src/platform/windows_registry.ts";

const windows = Deno.build.os === "windows";
const key = "Software\\hawser test";

describe("the registry", () => {
  afterEach(() => {
    if (windows) { for (const name of ["text", "number", ""]) windowsRegistry.remove(key, name); }
  });

  it("is empty anywhere but on Windows, and not to be written", { ignore: windows }, () => {
    assertEquals(windowsRegistry.read("HKCU", "Software", ""), undefined);
    assertThrows(() => windowsRegistry.write(key, "text", { type: "REG_SZ", data: "" }));
  });

  it("gives back what was written: any text, of any length, and numbers", { ignore: !windows }, () => {
    for (const data of ["", 'a "b" & %PATH% \\ ^', "Jörg 日本 \ud83d\ude00 \ud83d", "x".repeat(30_000)]) {
      for (const type of ["REG_SZ", "REG_EXPAND_SZ"] as const) {
        windowsRegistry.write(key, "text", { type, data });
        assertEquals(windowsRegistry.read("HKCU", key, "text"), { type, data });
      }
    }
    for (const data of [0, 1, 0xffff_ffff]) {
      windowsRegistry.write(key, "number", { type: "REG_DWORD", data });
      assertEquals(windowsRegistry.read("HKCU", key, "number"), { type: "REG_DWORD", data });
    }
    windowsRegistry.write(key, "", { type: "REG_SZ", data: "default" });
    assertEquals(windowsRegistry.read("HKCU", key, "")?.data, "default");
  });

  it("has nothing where nothing is, and removes it again", { ignore: !windows }, () => {
    assertEquals(windowsRegistry.read("HKCU", key, "text"), undefined);
    assertEquals(windowsRegistry.read("HKLM", "Software\\no such key", "x"), undefined);
    windowsRegistry.remove(key, "text");
    windowsRegistry.remove("Software\\no such key", "text");
  });
});
