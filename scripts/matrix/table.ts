import type { Verdict } from "./judge.ts";

const legend = `Each cell names the layers that do it, tried one at a time. Variables are set with all of them: beside
variables in a cell, another only shows that it does no harm.
Without a flag: variables (HTTP_PROXY and its like), agent (Java), hook (Node), PAC (a browser of \`hawser browser\`).
When asked for: props (\`--java props\`), hook (Python, \`--python hook\`), rewriting (\`--rewrite-env\`), isolation (\`--isolate net\`, Linux).
Isolation was tried with Java 17 alone: the other Javas are in a chroot, which an isolated program may not enter.
`;

/**
 * Markdown: a table for each family, libraries in rows, runtimes in columns, in the cells the layers that do it; and what they mean. Runtimes of
 * which all is alike share a column.
 */
export function table(verdicts: readonly Verdict[]): string {
  const tables = unique(verdicts.map(({ family }) => family)).map((family) => {
    const rows = verdicts.filter((verdict) => verdict.family === family);
    const byRuntime = Map.groupBy(rows, ({ runtime }) => runtime);
    // What one runtime lacks is in its place where another has it.
    const longest = [...byRuntime.values()].toSorted((one, other) => other.length - one.length).flat();
    const clients = unique(longest.map(({ client }) => client));
    const columns = new Map<string, { runtimes: string[]; cells: string[] }>();
    for (const [runtime, column] of byRuntime) {
      const cells = clients.map((client) => cell(column.find((row) => row.client === client)));
      const alike = columns.get(cells.join("|"));
      if (alike) alike.runtimes.push(runtime);
      else columns.set(cells.join("|"), { runtimes: [runtime], cells });
    }
    const shown = [...columns.values()];
    const header = [family, ...shown.map(({ runtimes }) => runtimes.join(", "))];
    const lines = clients.map((client, at) => `| ${[client, ...shown.map(({ cells }) => cells[at])].join(" | ")} |`);
    return [`| ${header.join(" | ")} |`, `|${"---|".repeat(header.length)}`, ...lines].join("\n");
  });
  return [...tables, legend].join("\n\n");
}

function cell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "–";
  return verdict.wrong === undefined ? verdict.by.map(({ name }) => name).join(", ") : "**no**";
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
