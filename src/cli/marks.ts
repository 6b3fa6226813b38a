import type { Match } from "../agent/protocol.ts";
import { parseMatch, parseVersionMark } from "../inbound/mark.ts";
import { madeUpVersion } from "./made_up_version.ts";

/** What `--version-mark` and `--match` say requests must have; a header made up where they say nothing. Throws a TypeError that quotes what it cannot read. */
export function marks(
  { versionMark, match }: { readonly versionMark: string | undefined; readonly match: readonly string[] },
): readonly Match[] {
  const conditions = match.map(parseMatch);
  if (versionMark !== undefined) return [parseVersionMark(versionMark), ...conditions];
  return conditions.length > 0 ? conditions : [parseVersionMark(madeUpVersion())];
}
