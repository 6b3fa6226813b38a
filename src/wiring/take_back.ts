/** What is put back into a variable that holds a list, and the list as hawser set it: the former value, before or after a part of hawser's own. */
export interface ExtendedList {
  readonly former: string | null;
  readonly set: string;
}

/**
 * A list without what hawser has put into it: what it was before, with all that somebody has added or removed since. `separator` is between its items. Null for an
 * empty list, which is no variable; the former value where hawser's part is not there any more.
 */
export function takeBack(present: string, { former, set }: ExtendedList, separator: string): string | null {
  const part = ownPart(set, former?.trim() ?? "", separator);
  if (present === set || part === "") return former;
  for (let at = present.indexOf(part); at >= 0; at = present.indexOf(part, at + 1)) {
    const before = present.slice(0, at), after = present.slice(at + part.length);
    const isWhole = (before === "" || before.endsWith(separator)) && (after === "" || after.startsWith(separator));
    if (!isWhole) continue; // it belongs to a longer item
    const rest = before === "" ? after.slice(separator.length) : before.slice(0, -separator.length) + after;
    return rest === "" ? null : rest;
  }
  return former;
}

function ownPart(set: string, former: string, separator: string): string {
  if (former === "") return set;
  if (set.startsWith(former + separator)) return set.slice(former.length + separator.length);
  return set.endsWith(separator + former) ? set.slice(0, -former.length - separator.length) : "";
}
