import manifest from "../../deno.json" with { type: "json" };
import type { CliDeps } from "./deps.ts";
import type { VersionInvocation } from "./grammar/version.ts";

/** The version of hawser, as in `deno.json`. */
export const hawserVersion: string = manifest.version;

/** `hawser version`. JSON: `{ version, deno, platform }`, all strings. */
export function version({ options }: VersionInvocation, { terminal }: CliDeps): Promise<number> {
  const platform = `${Deno.build.os}/${Deno.build.arch}`;
  if (options.output === "json") terminal.printJson({ version: hawserVersion, deno: Deno.version.deno, platform });
  else terminal.print(`hawser ${hawserVersion} (${platform}, Deno ${Deno.version.deno})`);
  return Promise.resolve(0);
}
