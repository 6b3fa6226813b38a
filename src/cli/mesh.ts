import type { CliDeps } from "./deps.ts";
import type { MeshInvocation } from "./grammar/mesh.ts";
import { inbound } from "./inbound.ts";
import { marks } from "./marks.ts";
import { understood } from "./understood.ts";

/** `hawser mesh`. */
export function mesh({ options, words: [word = ""] }: MeshInvocation, deps: CliDeps): Promise<number> {
  const { fallback, insist, cut } = options;
  const match = understood("mesh", () => marks(options));
  return inbound({ kind: "mesh", word, match, fallback, insist, cut }, options, deps);
}
