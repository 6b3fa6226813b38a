import type { Outcome } from "./program.ts";

/** Reads lines of client, milliseconds, and the answer or "!" and the reason, with tabs between; whatever else is there is left out. */
export function readLines(text: string): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const line of text.split("\n")) {
    const [client, milliseconds, said, ...more] = line.trimEnd().split("\t");
    if (client === undefined || said === undefined || more.length > 0) continue;
    outcomes.set(client, { right: said === "42", milliseconds: Number(milliseconds), said });
  }
  return outcomes;
}
