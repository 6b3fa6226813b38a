import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { env } from "../../src/cli/env.ts";
import { programVariables, withFormer } from "../../src/wiring/variables.ts";
import { fakeDeps, noGlobals } from "./fake_deps.ts";

describe("hawser env --unset", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  async function unset(processEnv: Readonly<Record<string, string>>) {
    const { deps, written } = fakeDeps(root);
    const options = { ...noGlobals, session: undefined, shell: "bash", unset: true, java: "off", node: "off" } as const;
    assertEquals(await env({ options, words: [] }, { ...deps, processEnv }), 0);
    await deps.terminal.flush();
    return written;
  }

  it("puts the user's own values back and removes the rest", async () => {
    const own = { HTTP_PROXY: "http://corp:3128", NO_PROXY: "corp" };
    const variables = programVariables({ port: 1, auth: undefined }, own, "linux");
    const { out } = await unset({ ...own, ...withFormer(variables, own, "linux") });
    const lines = out.trim().split("\n");
    assertEquals(lines.filter((line) => line.startsWith("export")).sort(), [
      "export HTTP_PROXY='http://corp:3128'",
      "export NO_PROXY='corp'",
    ]);
    assertEquals(lines.includes("unset http_proxy") && lines.includes("unset HAWSER_FORMER_ENV"), true);
  });

  it("has nothing to undo in a shell that is not wired", async () => {
    const { out, err } = await unset({ HTTP_PROXY: "http://corp:3128" });
    assertEquals(out, "");
    assertStringIncludes(err, "Nothing to undo");
  });
});
