import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { browserStart } from "../../src/wiring/browser_start.ts";

const wish = {
  profile: "/state/browsers/1",
  pac: "http://127.0.0.1:1080/proxy.pac",
  extra: ["--headless"],
  addresses: ["http://orders/"],
  os: "linux",
} as const;

describe("browserStart", () => {
  it("gives Chromium its profile and PAC file by flags, and the user's arguments the last word", () => {
    const { args, files } = browserStart("chromium", wish);
    assert(args.includes("--user-data-dir=/state/browsers/1"));
    assert(args.includes("--proxy-pac-url=http://127.0.0.1:1080/proxy.pac"));
    assertEquals(args.slice(-2), ["--headless", "http://orders/"]);
    assertEquals(files.size, 0);
  });

  it("gives Firefox its PAC file by preferences in the profile", () => {
    const { args, files } = browserStart("firefox", wish);
    assertEquals(args, ["--no-remote", "--profile", "/state/browsers/1", "--headless", "http://orders/"]);
    assertEquals([...files.keys()], ["user.js"]);
    const preferences = files.get("user.js")!.trim().split("\n").map((line) => {
      const [, name, value] = /^user_pref\("([a-z0-9_.A-Z]+)", (.+)\);$/.exec(line)!;
      return [name, JSON.parse(value!)];
    });
    const { "network.proxy.type": type, "network.proxy.autoconfig_url": pac } = Object.fromEntries(preferences);
    assertEquals([type, pac], [2, wish.pac]);
  });

  it("has Firefox wait for itself on Windows, where its first process ends at once", () => {
    assert(browserStart("firefox", { ...wish, os: "windows" }).args.includes("--wait-for-browser"));
  });
});
