import type { CliDeps } from "./deps.ts";
import type { PreviewInvocation } from "./grammar/preview.ts";
import { inbound } from "./inbound.ts";

/** `hawser preview`. */
export function preview({ options, words: [word = ""] }: PreviewInvocation, deps: CliDeps): Promise<number> {
  return inbound({ kind: "preview", word, match: [], fallback: "error", insist: false, cut: false }, options, deps);
}
