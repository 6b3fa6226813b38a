import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { selfCommand } from "../../src/platform/self.ts";

describe("selfCommand", () => {
  it("starts the executable itself where it is one", () => {
    const deps = { standalone: true, program: "/bin/hawser", mainModule: "file:///x/main.ts", denoConfig: undefined };
    assertEquals(selfCommand(["connect"], deps), { program: "/bin/hawser", args: ["connect"] });
  });

  it("starts the module with Deno otherwise, with the same configuration", () => {
    const deps = { standalone: false, program: "/bin/deno", mainModule: "file:///x/main.ts", denoConfig: "/x/c.json" };
    assertEquals(selfCommand(["connect", "-n", "a"], deps).args.slice(-6), [
      "--config",
      "/x/c.json",
      "file:///x/main.ts",
      "connect",
      "-n",
      "a",
    ]);
  });
});
