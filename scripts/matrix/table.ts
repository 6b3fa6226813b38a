import type { Verdict } from "./judge.ts";

const legend = `Each cell names the layers of which each does it alone.
Without a flag: variables (HTTP_PROXY and its like), agent (Java), hook (Node), PAC (a browser of \`hawser browser\`).
When asked for: props (\`--java props\`), hook (Python, \`--python hook\`), rewriting (\`--rewrite-env\`), isolation (\`--isolate net\`, Linux).
Isolation was tried with Java 17 alone: the other Javas are in a chroot, which an isolated program may not enter.
`;

/** Markdown: a table for each family, libraries in rows, runtimes in columns, in the cells the layers that do it; and what they mean. */
export function table(verdicts: readonly Verdict[]): string {
  const tables = unique(verdicts.map(({ family }) => family)).map((family) => {
    const rows = verdicts.filter((verdict) => verdict.family === family);
    const runtimes = unique(rows.map(({ runtime }) => runtime));
    const columns = runtimes.map((runtime) => rows.filter((row) => row.runtime === runtime));
    // What one runtime lacks is in its place where another has it.
    const longest = columns.toSorted((one, other) => other.length - one.length).flat();
    const lines = unique(longest.map(({ client }) => client)).map((client) => {
      const cells = columns.map((column) => cell(column.find((row) => row.client === client)));
      return `| ${[client, ...cells].join(" | ")} |`;
    });
    return [`| ${[family, ...runtimes].join(" | ")} |`, `|${"---|".repeat(runtimes.length + 1)}`, ...lines].join("\n");
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
