import { runInside } from "../wiring/isolation/run_inside.ts";
import type { CliDeps } from "./deps.ts";
import type { IsolatedInvocation } from "./grammar/isolated.ts";

/** `hawser __isolated`: exits with the status of the program that it runs. */
export async function isolated({ words: [folder = ""] }: IsolatedInvocation, deps: CliDeps): Promise<number> {
  return await runInside(folder, deps);
}
