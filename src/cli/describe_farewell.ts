import type { Farewell, InboundRequest } from "../inbound/inbound.ts";

/** How it ended, for people. */
export function describeFarewell(
  { restored, others, unready, theirs }: Farewell,
  { kind, service, among }: Pick<InboundRequest, "kind" | "service" | "among">,
): string {
  if (!restored) {
    return `Your part of "${service}" is over; ${others.join(", ")} ${others.length > 1 ? "go" : "goes"} on.`;
  }
  if (theirs === "deleted") {
    return `Service "${service}" was deleted by somebody; of hawser's nothing is left.`;
  }
  if (theirs === "selector") {
    return `Service "${service}" is left with the selector that somebody has set meanwhile; of hawser's nothing is left.`;
  }
  if (unready !== undefined) {
    return `Service "${service}" is what it was, and nothing is left; but not all pods of ${unready} are ready yet.`;
  }
  if (among !== undefined) return `"${service}" is gone from the pods of service "${among}", and nothing is left.`;
  return kind === "preview"
    ? `Service "${service}" is gone, and nothing is left.`
    : `Service "${service}" is what it was, and nothing is left.`;
}
