import type { CliDeps } from "./deps.ts";
import type { ExchangeInvocation } from "./grammar/exchange.ts";
import { inbound } from "./inbound.ts";

/** `hawser exchange`. */
export function exchange({ options, words: [word = ""] }: ExchangeInvocation, deps: CliDeps): Promise<number> {
  const { fallback, insist, cut } = options;
  return inbound({ kind: "exchange", word, match: [], fallback, insist, cut }, options, deps);
}
