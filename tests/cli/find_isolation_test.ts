import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { readOptions } from "../../src/cli/define_command.ts";
import { findIsolation } from "../../src/cli/find_isolation.ts";
import { runGrammar } from "../../src/cli/grammar/run.ts";
import { run } from "../../src/cli/run.ts";
import { Failure } from "../../src/platform/failure.ts";
import { silentLog } from "../../src/platform/log.ts";
import { fakeDeps, noGlobals } from "./fake_deps.ts";

describe("findIsolation", () => {
  let root: string;
  let told: string[];
  beforeEach(async () => {
    root = await Deno.makeTempDir();
    told = [];
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const log = { ...silentLog, event: (message: string) => void told.push(message) };
  const onMac = () => fakeDeps(root, { os: "darwin", log }).deps;

  it("says why it cannot be, and what else there is", async () => {
    await assertRejects(
      () => findIsolation("net", onMac()),
      Failure,
      "The program cannot have a network of its own: it takes namespaces, which only Linux has. Leave --isolate out",
    );
  });

  it("does without where it may, with a line that says so", async () => {
    assertEquals(await findIsolation("auto", onMac()), undefined);
    assertEquals(told, [
      "The program cannot have a network of its own: it takes namespaces, which only Linux has. It runs without",
    ]);
  });

  it("is nothing where nobody asks for it", async () => {
    assertEquals(await findIsolation("none", onMac()), undefined);
  });

  it("is refused by run before it connects to anything", async () => {
    const given = new Map([["isolate", { texts: ["net"], origin: "--isolate" }]]);
    const options = { ...noGlobals, ...readOptions(runGrammar.flags, given), kubeconfig: `${root}/none` };
    await assertRejects(() => run({ options, words: ["true"] }, onMac()), Failure, "network of its own");
  });
});
