import type { Match } from "../agent/protocol.ts";
import { parseMatch, parseVersionMark } from "../inbound/mark.ts";
import type { CliDeps } from "./deps.ts";
import type { MeshInvocation } from "./grammar/mesh.ts";
import { inbound } from "./inbound.ts";
import { UsageError } from "./usage_error.ts";

/** `hawser mesh`. */
export function mesh({ options, words: [word = ""] }: MeshInvocation, deps: CliDeps): Promise<number> {
  const { fallback, insist, cut } = options;
  return inbound({ kind: "mesh", word, match: marks(options), fallback, insist, cut }, options, deps);
}

function marks({ versionMark, match }: MeshInvocation["options"]): readonly Match[] {
  try {
    const conditions = match.map(parseMatch);
    if (versionMark !== undefined) return [parseVersionMark(versionMark), ...conditions];
    return conditions.length > 0 ? conditions : [parseVersionMark(madeUp())];
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, "mesh") : error;
  }
}

/** Five characters that are told apart on the telephone. */
function madeUp(): string {
  const letters = "bcdfghjkmnpqrstvwxz23456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join("");
}
