import { runTool } from "./run_tool.ts";

/** The part of `deno doc --json` (version 2) that is read here. */
interface Documentation {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocumentedSymbol[] }>>;
}

interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly location: { readonly filename: string; readonly line: number };
    readonly declarationKind: string;
    readonly jsDoc?: unknown;
  }[];
}

/**
 * The exports of the files below `paths` without a documentation comment, as `file:line name`. `deno doc --lint` asks the same
 * of every member of every interface, whose name mostly says it all; here that is left to judgement.
 */
export async function undocumented(paths: readonly string[]): Promise<string[]> {
  const files = (await Promise.all(paths.map(sourcesBelow))).flat();
  const json = await runTool(Deno.execPath(), [
    "run",
    "-A",
    "scripts/with_deps.ts",
    "doc",
    "--quiet",
    "--json",
    ...files,
  ]);
  const { nodes }: Documentation = JSON.parse(new TextDecoder().decode(json));
  return Object.values(nodes).flatMap(({ symbols }) => symbols).flatMap(({ name, declarations }) => {
    const [first] = declarations.filter(({ declarationKind }) => declarationKind === "export");
    if (!first || declarations.some(({ jsDoc }) => jsDoc !== undefined)) return [];
    return [`${first.location.filename}:${first.location.line + 1} ${name}`];
  });
}

async function sourcesBelow(path: string): Promise<string[]> {
  if (path.endsWith(".ts")) return [path];
  const entries = await Array.fromAsync(Deno.readDir(path));
  const below = entries.map(({ name, isDirectory }) =>
    isDirectory || name.endsWith(".ts") ? sourcesBelow(`${path}/${name}`) : []
  );
  return (await Promise.all(below)).flat();
}
