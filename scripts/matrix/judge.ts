import type { Layer } from "./layer.ts";
import type { Outcome, Program } from "./program.ts";

/** What is known of one client of one program. */
export interface Verdict {
  readonly family: string;
  readonly runtime: string;
  readonly client: string;
  /** The layers each of which does it alone, the one that asks least of the program first. */
  readonly by: readonly Layer[];
  /** From start to answer by the first of them. */
  readonly milliseconds: number;
  /** Why this proves nothing, or what was said where no layer does it; else undefined. */
  readonly wrong: string | undefined;
}

/** Runs a program for some of its clients by one layer, or without hawser. */
export type Attempt = (clients: readonly string[], layer: Layer | undefined) => Promise<ReadonlyMap<string, Outcome>>;

/**
 * Finds by which layers the clients of a program reach the servers. What is on by default has to do it, all of it together, where a part of it
 * does; and a client that finds the servers without hawser proves nothing.
 */
export async function judge({ family, runtime, clients, layers }: Program, attempt: Attempt): Promise<Verdict[]> {
  const without = await attempt(clients, undefined);
  const tried: { layer: Layer; outcomes: ReadonlyMap<string, Outcome> }[] = [];
  for (const layer of layers) tried.push({ layer, outcomes: await attempt(clients, layer) });
  return clients.map((client) => {
    const outcomes = tried.map(({ layer, outcomes }) => ({ layer, outcome: outcomes.get(client) }));
    const right = outcomes.filter(({ outcome }) => outcome?.right);
    const byDefault = outcomes.filter(({ layer }) => layer.default);
    const broken = byDefault.some(({ outcome }) => outcome?.right) && !byDefault.at(-1)?.outcome?.right;
    const failures = outcomes.filter(({ outcome }) => !outcome?.right);
    const wrong = without.get(client)?.right
      ? "finds the server without hawser"
      : right.length === 0 || broken
      ? failures.map(({ layer, outcome }) => `${layer.name}: ${outcome?.said}`).join("; ")
      : undefined;
    const milliseconds = right[0]?.outcome?.milliseconds ?? NaN;
    return { family, runtime, client, by: right.map(({ layer }) => layer), milliseconds, wrong };
  });
}
