import { beforeAll, it } from "@std/testing/bdd";

/**
 * Registers the tests of a suite that do not disturb each other: they run at the same time, at most `lanes` of them at once, before the first of the suite's
 * other tests and after what `beforeAll` has prepared before.
 */
export function together(tests: Readonly<Record<string, () => Promise<void>>>, lanes = 6): void {
  const outcomes = new Map<string, Promise<void>>();
  beforeAll(async () => {
    const waiting = Object.entries(tests);
    const lane = async () => {
      for (let next; (next = waiting.shift());) {
        const [name, test] = next;
        const outcome = test();
        outcomes.set(name, outcome);
        await outcome.catch(() => {}); // told by its own `it`
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  });
  for (const name of Object.keys(tests)) it(name, () => outcomes.get(name));
}
