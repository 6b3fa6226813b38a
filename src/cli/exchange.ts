import type { CliDeps } from "./deps.ts";
import type { ExchangeInvocation } from "./grammar/exchange.ts";
import { inbound } from "./inbound.ts";
import { UsageError } from "./usage_error.ts";

/** `hawser exchange`. */
export function exchange({ options, words: [word = ""] }: ExchangeInvocation, deps: CliDeps): Promise<number> {
  const { fallback, insist, cut, mode } = options;
  if (mode === "scale" && cut) {
    throw new UsageError("--cut restarts pods that --mode scale ends: leave one of them away", "exchange");
  }
  const variant = mode === "scale" ? { kind: mode } as const : undefined;
  return inbound({ kind: "exchange", word, match: [], fallback, insist, cut, variant }, options, deps);
}
