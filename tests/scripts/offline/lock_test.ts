import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Lock, offlineLock, withNpmOf } from "../../../scripts/offline/lock.ts";

const online: Lock = {
  version: "5",
  specifiers: { "jsr:@std/cli@1": "1.0.0", "npm:dns2@3": "3.1.1" },
  jsr: { "@std/cli@1.0.0": { integrity: "a" } },
  npm: { "dns2@3.1.1": { integrity: "b" } },
  workspace: { dependencies: ["jsr:@std/cli@1", "npm:dns2@3"] },
};

describe("offlineLock", () => {
  it("leaves out JSR", () => {
    assertEquals(offlineLock(online), {
      version: "5",
      specifiers: { "npm:dns2@3": "3.1.1" },
      npm: { "dns2@3.1.1": { integrity: "b" } },
      workspace: { dependencies: ["npm:dns2@3"] },
    });
  });
});

describe("withNpmOf", () => {
  it("gives back the lock nothing was added to", () => {
    assertEquals(JSON.stringify(withNpmOf(online, offlineLock(online))), JSON.stringify(online));
  });

  it("takes over packages of npm that came and went, and leaves JSR's alone", () => {
    const offline: Lock = {
      version: "5",
      specifiers: { "npm:another@2": "2.0.0" },
      npm: { "another@2.0.0": { integrity: "c" } },
      workspace: { dependencies: ["npm:another@2"] },
    };
    assertEquals(withNpmOf(online, offline), {
      version: "5",
      specifiers: { "jsr:@std/cli@1": "1.0.0", "npm:another@2": "2.0.0" },
      jsr: { "@std/cli@1.0.0": { integrity: "a" } },
      npm: { "another@2.0.0": { integrity: "c" } },
      workspace: { dependencies: ["jsr:@std/cli@1", "npm:another@2"] },
    });
  });
});
