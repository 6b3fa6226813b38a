import type { Verdict } from "./judge.ts";
import type { KnownNo } from "./known_noes.ts";

/** A Markdown table for each family: libraries in rows, runtimes in columns, and in the cells the layer that did it. */
export function table(verdicts: readonly Verdict[], noes: readonly KnownNo[]): string {
  const families = unique(verdicts.map(({ family }) => family));
  const notes: string[] = [];
  const cell = (verdict: Verdict | undefined): string => {
    if (verdict === undefined) return "–";
    if (verdict.by.length > 0 && verdict.wrong === undefined) return verdict.by.map(({ name }) => name).join(", ");
    const known = noes.find((no) => no.client === verdict.client && no.runtime.test(verdict.runtime));
    if (known === undefined) return "**fails**";
    const note = `${known.reason}. ${known.wayOut}.`;
    if (!notes.includes(note)) notes.push(note);
    return `no (${notes.indexOf(note) + 1})`;
  };
  const tables = families.map((family) => {
    const rows = verdicts.filter((verdict) => verdict.family === family);
    const runtimes = unique(rows.map(({ runtime }) => runtime));
    const lines = unique(rows.map(({ client }) => client)).map((client) => {
      const cells = runtimes.map((runtime) =>
        cell(rows.find((row) => row.client === client && row.runtime === runtime))
      );
      return `| ${[client, ...cells].join(" | ")} |`;
    });
    return [`| ${[family, ...runtimes].join(" | ")} |`, `|${"---|".repeat(runtimes.length + 1)}`, ...lines].join("\n");
  });
  return [...tables, ...notes.map((note, at) => `${at + 1}. ${note}`)].join("\n\n") + "\n";
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
