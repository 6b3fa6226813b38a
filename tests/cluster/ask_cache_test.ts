import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { AskCache } from "../../src/cluster/ask_cache.ts";
import { FakeClock, settled } from "../fake_clock.ts";

const never = new AbortController().signal;

function setUp() {
  const clock = new FakeClock();
  const closing = new AbortController();
  const cache = new AskCache<string>(() => ({ fresh: 5_000, usable: 10_000 }), { clock, signal: closing.signal });
  const questions: PromiseWithResolvers<string>[] = [];
  const ask = () => {
    const question = Promise.withResolvers<string>();
    questions.push(question);
    return question.promise;
  };
  return { clock, closing, cache, questions, ask };
}

describe("AskCache", () => {
  it("asks once for all who want to know at the same time", async () => {
    const { cache, questions, ask } = setUp();
    const both = [cache.get("a", ask, never), cache.get("a", ask, never)];
    assertEquals(questions.length, 1);
    questions[0]?.resolve("one");
    assertEquals(await Promise.all(both), ["one", "one"]);
  });

  it("gives out a fresh answer, an older one while it asks anew, and waits for the new one after that", async () => {
    const { cache, clock, questions, ask } = setUp();
    const first = cache.get("a", ask, never);
    questions[0]?.resolve("one");
    await first;
    await clock.advance(4_999);
    assertEquals([await cache.get("a", ask, never), questions.length], ["one", 1]);
    await clock.advance(1);
    assertEquals([await cache.get("a", ask, never), questions.length], ["one", 2]);
    questions[1]?.resolve("two");
    await settled();
    assertEquals([await cache.get("a", ask, never), questions.length], ["two", 2]);
    await clock.advance(10_000);
    const third = cache.get("a", ask, never);
    questions[2]?.resolve("three");
    assertEquals(await third, "three");
  });

  it("keeps a usable answer when asking anew fails, and keeps no failure", async () => {
    const { cache, clock, questions, ask } = setUp();
    const failed = cache.get("a", ask, never);
    questions[0]?.reject(new Error("away"));
    await assertRejects(() => failed, Error, "away");
    const first = cache.get("a", ask, never);
    questions[1]?.resolve("one");
    await first;
    await clock.advance(6_000);
    await cache.get("a", ask, never);
    questions[2]?.reject(new Error("away"));
    await settled();
    assertEquals(await cache.get("a", ask, never), "one");
  });

  it("goes on asking when one who waited loses interest", async () => {
    const { cache, questions, ask } = setUp();
    const impatient = new AbortController();
    const reason = new Error("enough");
    const first = cache.get("a", ask, impatient.signal);
    const second = cache.get("a", ask, never);
    impatient.abort(reason);
    assertStrictEquals(await assertRejects(() => first), reason);
    questions[0]?.resolve("one");
    assertEquals(await second, "one");
  });

  it("ends questions with its own signal", async () => {
    const { cache, closing } = setUp();
    const waiting = cache.get("a", (signal) => {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }, never);
    closing.abort(new Error("closed"));
    await assertRejects(() => waiting, Error, "closed");
  });

  it("remembers two thousand things, not more", async () => {
    const { cache } = setUp();
    for (let count = 0; count < 2_001; count++) await cache.get(`${count}`, () => Promise.resolve("x"), never);
    assertEquals([cache.peek("0"), cache.peek("1"), cache.peek("2000")], [undefined, "x", "x"]);
  });
});
