import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { complete, type CompletionSources } from "../../src/cli/complete.ts";
import { completionSources } from "../../src/cli/completion_sources.ts";
import { SessionNotes } from "../../src/cli/session_note.ts";
import { Settings } from "../../src/cli/settings.ts";
import { fakeDeps, noGlobals } from "./fake_deps.ts";
import { fakeNote } from "./fake_note.ts";

const words = (...list: string[]) => () => Promise.resolve(list.map((word) => ({ word, what: "" })));

describe("__complete", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const sources: CompletionSources = {
    config: words("set"),
    context: words("kind-dev", "kind-prod"),
    namespace: (line) =>
      Promise.resolve([{ word: `of-${line.given.get("context")?.texts.at(-1) ?? "current"}`, what: "" }]),
    profile: words("stage"),
    service: words("mysql"),
    session: words("dev"),
    target: words("mysql", "deploy/"),
    workload: (line) => Promise.resolve([{ word: `${line.current}api`, what: "" }]),
  };

  async function candidates(
    line: readonly string[],
    changes: Partial<CompletionSources> = {},
    newWord = false,
  ): Promise<string[]> {
    const { deps, written } = fakeDeps(root, { settings: Settings.parse('{ "defaults": { "context": "set" } }', "f") });
    const options = { ...noGlobals, newWord };
    assertEquals(await complete({ words: line, options }, { ...deps, sources: { ...sources, ...changes } }), 0);
    await deps.terminal.flush();
    assertEquals(written.err, "");
    return written.out.split("\n").slice(0, -1).map((each) => each.split("\t")[0]!);
  }

  it("offers commands, without the hidden", async () => {
    assertEquals(await candidates(["con"]), ["connect", "config"]);
    assertEquals((await candidates([""])).includes("__complete"), false);
    assertEquals(await candidates(["help", "com"]), ["completion"]);
    assertEquals(await candidates(["--context", "x", "disc"]), ["disconnect"]);
  });

  it("offers flags of the command and of all commands", async () => {
    assertEquals(await candidates(["connect", "--dns"]), ["--dns-port", "--dns-forward"]);
    assertEquals(await candidates(["status", "--name"]), ["--namespace"]);
    assertEquals(await candidates(["connect", "--detac"]), ["--detach"]);
  });

  it("offers the sessions whose process lives", async () => {
    const notes = new SessionNotes(`${root}/state`);
    await notes.write(fakeNote("living", { pid: Deno.pid }));
    await notes.write(fakeNote("killed", { pid: 2 ** 30 }));
    assertEquals(await candidates(["env", "--session", ""], { session: completionSources.session }), ["living"]);
  });

  it("offers values after a flag, after its letter, and after =", async () => {
    assertEquals(await candidates(["connect", "--context", "kind-p"]), ["kind-prod"]);
    assertEquals(await candidates(["connect", "-o", ""]), ["text", "json"]);
    assertEquals(await candidates(["connect", "--output=j"]), ["--output=json"]);
    assertEquals(await candidates(["connect", "--port", ""]), []);
    assertEquals(await candidates(["connect", "--kubeconfig", ""]), [":files"]);
  });

  it("lets look-ups know what the line and the settings say", async () => {
    assertEquals(await candidates(["--context", "x", "connect", "-n", ""]), ["of-x"]);
    assertEquals(await candidates(["connect", "-n", ""]), ["of-set"]);
    assertEquals(await candidates(["run", "--env-from", "deploy/"]), ["deploy/api"]);
    assertEquals(await candidates(["run", "--files-from=sts/"]), ["--files-from=sts/api"]);
  });

  it("offers words of the command", async () => {
    assertEquals(await candidates(["forward", "my"]), ["mysql"]);
    assertEquals(await candidates(["forward", "mysql", "3306", ""]), ["mysql", "deploy/"]);
    assertEquals(await candidates(["completion", "z"]), ["zsh"]);
    assertEquals(await candidates(["completion", "zsh", ""]), []);
    assertEquals(await candidates(["status", ""]), []);
  });

  it("leaves the words of a program to the shell", async () => {
    assertEquals(await candidates(["run", ""]), ["--"]);
    assertEquals(await candidates(["run", "--", ""]), [":files"]);
    assertEquals(await candidates(["run", "--", "ls", "--co"]), [":files"]);
    assertEquals(await candidates(["run", "npm", ""]), [":files"]);
  });

  it("takes --new-word for an empty last word", async () => {
    assertEquals(await candidates(["connect", "--context"], {}, true), ["kind-dev", "kind-prod"]);
  });

  it("is silent about lines that make no sense and look-ups that fail", async () => {
    assertEquals(await candidates(["nonsense", ""]), []);
    assertEquals(await candidates(["connect", "--nonsense", ""]), []);
    assertEquals(
      await candidates(["connect", "-n", ""], { namespace: () => Promise.reject(new Error("no cluster")) }),
      [],
    );
  });

  it("does not wait for a cluster that does not answer", async () => {
    const began = performance.now();
    assertEquals(await candidates(["connect", "-n", ""], { namespace: () => new Promise(() => {}) }), []);
    assertEquals(performance.now() - began < 3000, true);
  });
});
