/** Rows as lines with aligned columns, two spaces apart. The last column is as long as it is. */
export function columns(rows: readonly (readonly string[])[], indent = ""): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => widths[at] = Math.max(widths[at] ?? 0, visibleLength(cell)));
  return rows.map((row) =>
    indent +
    row.map((cell, at) => at === row.length - 1 ? cell : cell + " ".repeat(widths[at]! - visibleLength(cell))).join(
      "  ",
    ).trimEnd()
  );
}

/** Characters that take room: all but terminal styles. */
function visibleLength(cell: string): number {
  // deno-lint-ignore no-control-regex -- ESC is what begins a style
  return [...cell.replace(/\x1b\[\d*m/g, "")].length;
}
