import type { Farewell, InboundRequest } from "../inbound/inbound.ts";

/** How it ended, for people. */
export function describeFarewell(
  { restored, others }: Farewell,
  { kind, service }: Pick<InboundRequest, "kind" | "service">,
): string {
  if (!restored) {
    return `Your part of "${service}" is over; ${others.join(", ")} ${others.length > 1 ? "go" : "goes"} on.`;
  }
  return kind === "preview"
    ? `Service "${service}" is gone, and nothing is left.`
    : `Service "${service}" is what it was, and nothing is left.`;
}
