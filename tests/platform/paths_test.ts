import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { userPaths } from "../../src/platform/paths.ts";

describe("userPaths", () => {
  it("follows the XDG specification on Linux, relative values ignored", () => {
    assertEquals(userPaths("linux", { HOME: "/home/a" }), {
      config: "/home/a/.config/hawser",
      state: "/home/a/.local/state/hawser",
      cache: "/home/a/.cache/hawser",
    });
    const env = { HOME: "/home/a", XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "s", XDG_CACHE_HOME: "/k" };
    assertEquals(userPaths("linux", env), {
      config: "/c/hawser",
      state: "/home/a/.local/state/hawser",
      cache: "/k/hawser",
    });
  });

  it("uses the Library on macOS", () => {
    assertEquals(userPaths("darwin", { HOME: "/Users/a" }).cache, "/Users/a/Library/Caches/hawser");
  });

  it("keeps settings in the roaming folder on Windows and the rest in the local one", () => {
    const env = { APPDATA: "C:\\Users\\a\\AppData\\Roaming", USERPROFILE: "C:\\Users\\a" };
    assertEquals(userPaths("windows", env), {
      config: "C:\\Users\\a\\AppData\\Roaming\\hawser",
      state: "C:\\Users\\a\\AppData\\Local\\hawser\\state",
      cache: "C:\\Users\\a\\AppData\\Local\\hawser\\cache",
    });
  });

  it("says which variable is missing", () => {
    assertEquals(assertThrows(() => userPaths("linux", {}), Failure).message.includes("HOME is not set"), true);
    assertEquals(
      assertThrows(() => userPaths("windows", {}), Failure).message.includes("USERPROFILE is not set"),
      true,
    );
  });
});
