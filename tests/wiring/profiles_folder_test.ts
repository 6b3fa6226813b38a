import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { profilesFolder } from "../../src/wiring/profiles_folder.ts";

const env = { HOME: "/home/jo" };
const startOf = (text: string) => () => Promise.resolve(new TextEncoder().encode(text));

describe("profilesFolder", () => {
  it("is below the state folder", async () => {
    const deps = { env, startOf: startOf("\x7fELF /snap/bin/firefox") };
    assertEquals(await profilesFolder("/usr/bin/chromium", "state", deps), join("state", "browsers"));
  });

  it("is where a snap may write for a browser that is one, or a script that starts one", async () => {
    const deps = { env, startOf: startOf('#!/bin/sh\nexec /snap/bin/firefox "$@"\n') };
    const own = join("/home/jo", "snap", "firefox", "common", "hawser");
    assertEquals(await profilesFolder("/snap/bin/firefox", "state", deps), own);
    assertEquals(await profilesFolder("/usr/bin/firefox", "state", deps), own);
  });

  it("is below the state folder for what cannot be read, and where nobody has a home", async () => {
    const unreadable = { env, startOf: () => Promise.reject(new Deno.errors.PermissionDenied("no")) };
    assertEquals(await profilesFolder("/usr/bin/firefox", "state", unreadable), join("state", "browsers"));
    assertEquals(await profilesFolder("/snap/bin/firefox", "state", { env: {} }), join("state", "browsers"));
  });
});
