import type { RunningSession } from "./running_sessions.ts";

/** Name of the objects of a session's relay, from its `/status` page; undefined where it has none. */
export function sessionRelay({ status }: Pick<RunningSession, "status">): string | undefined {
  const { relay } = status;
  const named = typeof relay === "object" && relay !== null && "name" in relay;
  return named && typeof relay.name === "string" ? relay.name : undefined;
}
