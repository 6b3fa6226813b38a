import { parseExternal } from "../inbound/external.ts";
import type { CliDeps } from "./deps.ts";
import type { PreviewInvocation } from "./grammar/preview.ts";
import { inbound } from "./inbound.ts";
import { understood } from "./understood.ts";

/** `hawser preview`. */
export function preview({ options, words: [word = ""] }: PreviewInvocation, deps: CliDeps): Promise<number> {
  const { external } = options;
  const variant = external === undefined
    ? undefined
    : { kind: "external", external: understood("preview", () => parseExternal(external)) } as const;
  const command = { kind: "preview", word, match: [], fallback: "error", insist: false, cut: false, variant } as const;
  return inbound(command, options, deps);
}
