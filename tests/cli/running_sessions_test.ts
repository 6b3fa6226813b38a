import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { chooseSession, runningSessions, type SessionsDeps } from "../../src/cli/running_sessions.ts";
import { isSessionName, SessionNotes } from "../../src/cli/session_note.ts";
import { Failure } from "../../src/platform/failure.ts";
import { fakeNote } from "./fake_note.ts";

describe("running sessions", () => {
  let root: string;
  let notes: SessionNotes;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
    notes = new SessionNotes(`${root}/state`);
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const deps = (changes: Partial<SessionsDeps> = {}): SessionsDeps => ({
    paths: () => ({ config: root, state: `${root}/state`, cache: root }),
    ask: ({ id }) => Promise.resolve({ session: id }),
    alive: () => true,
    ...changes,
  });

  const names = async (changes?: Partial<SessionsDeps>) =>
    (await runningSessions(deps(changes))).map(({ note }) => note.name);
  const left = async () => (await notes.all()).map(({ name }) => name);

  it("are those that answer for themselves", async () => {
    await notes.write(fakeNote("b"));
    await notes.write(fakeNote("a"));
    assertEquals(await names(), ["a", "b"]);
  });

  it("are none where nobody ever connected", async () => assertEquals(await names(), []));

  it("sweeps the note of a process that is gone, without asking its port", async () => {
    await notes.write(fakeNote("a"));
    assertEquals(await names({ alive: () => false, ask: () => Promise.reject(new Error("asked")) }), []);
    assertEquals(await left(), []);
  });

  it("sweeps a note whose port answers for another session now", async () => {
    await notes.write(fakeNote("a"));
    assertEquals(await names({ ask: () => Promise.resolve({ session: "another" }) }), []);
    assertEquals(await left(), []);
  });

  it("keeps the note of one that is merely slow", async () => {
    await notes.write(fakeNote("a"));
    assertEquals(await names({ ask: () => Promise.resolve(undefined) }), []);
    assertEquals(await left(), ["a"]);
  });

  it("removes files that are no notes and leaves those of others alone", async () => {
    await Deno.mkdir(`${root}/state/sessions`, { recursive: true });
    for (const [name, text] of [["a.json", "{"], ["b.json", "null"], ["c.json", '{"name":"c"}'], ["d.log", "x"]]) {
      await Deno.writeTextFile(`${root}/state/sessions/${name}`, text!);
    }
    assertEquals(await names(), []);
    assertEquals((await Array.fromAsync(Deno.readDir(`${root}/state/sessions`))).map(({ name }) => name), ["d.log"]);
  });

  it("does not remove the note of a later session of the same name", async () => {
    await notes.write(fakeNote("a", { id: "later" }));
    await notes.remove(fakeNote("a", { id: "earlier" }));
    assertEquals(await left(), ["a"]);
  });

  it("leave the note that was written last, however long the one before takes, and none after the end", async () => {
    const listener = { namespace: "dev", service: "web", port: 80, address: "127.0.0.1", localPort: 20_000 };
    const long = notes.write(fakeNote("a", { listeners: Array(20_000).fill(listener) }));
    const short = notes.write(fakeNote("a"));
    await Promise.all([long, short]);
    assertEquals((await notes.all())[0]!.listeners.length, 0);
    const last = notes.write(fakeNote("a", { listeners: [listener] }));
    await notes.remove(fakeNote("a"));
    await last;
    assertEquals(await left(), []);
  });

  it("are chosen: the only one, else by name, else by asking back", async () => {
    const refusal = async (name?: string) => (await assertRejects(() => chooseSession(name, deps()), Failure)).message;
    assertStringIncludes(await refusal(), "No session runs: start one with hawser connect");
    await notes.write(fakeNote("dev"));
    assertEquals((await chooseSession(undefined, deps())).note.name, "dev");
    await notes.write(fakeNote("stage", { namespace: "stage", port: 1081 }));
    assertEquals((await chooseSession("stage", deps())).note.name, "stage");
    assertStringIncludes(
      await refusal(),
      "dev (kind, namespace dev, port 1080); stage (kind, namespace stage, port 1081)",
    );
    assertStringIncludes(await refusal("stag"), 'No session "stag" runs. Did you mean "stage"? Running: dev, stage');
  });
});

describe("isSessionName", () => {
  it("takes what every file system takes", () => {
    for (const name of ["dev", "dev-2", "a.b_c", "9"]) assertEquals(isSessionName(name), true, name);
    for (const name of ["", ".", "..", "-x", "a/b", "a b", "é", "CON", "nul.txt", "x".repeat(64)]) {
      assertEquals(isSessionName(name), false, name);
    }
  });
});
