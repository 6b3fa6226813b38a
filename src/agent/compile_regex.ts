/** Characters of a pattern, and how often it may repeat something: what bounds the time that a value may take. */
const patternLimit = 256;
const quantifierLimit = 3;
/** Longer values do not match. */
const valueLimit = 512;

/** A quantifier's text at the place where the expression stands. */
const quantifier = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;

/**
 * Makes the test whether a whole value matches a regular expression (JavaScript's syntax). Whoever sends a request chooses the value, so only expressions
 * are taken that cannot keep the agent busy: at most three repetitions, none of a group that repeats or chooses, nothing that looks around or back.
 * Throws a RangeError that says what is wrong.
 */
export function compileRegex(pattern: string): (value: string) => boolean {
  if (pattern.length > patternLimit) throw refused(pattern, `is longer than ${patternLimit} characters`);
  refuseSlow(pattern);
  let regex: RegExp;
  try {
    regex = new RegExp(`^(?:${pattern})$`, "s");
  } catch {
    throw refused(pattern, "is not a regular expression");
  }
  return (value) => value.length <= valueLimit && regex.test(value);
}

function refuseSlow(pattern: string): void {
  /** For each open group: whether it repeats or chooses inside. */
  const groups: boolean[] = [];
  let quantifiers = 0;
  /** The element before this place is a group that repeats or chooses. */
  let heavy = false;
  for (let at = 0; at < pattern.length;) {
    quantifier.lastIndex = at;
    const repeats = quantifier.exec(pattern)?.[0];
    if (repeats !== undefined) {
      if (heavy) throw refused(pattern, "repeats a group that repeats or chooses, which can take for ever");
      if (++quantifiers > quantifierLimit) throw refused(pattern, `has more than ${quantifierLimit} repetitions`);
      if (groups.length > 0) groups[groups.length - 1] = true;
      at += repeats.length;
      continue;
    }
    heavy = false;
    const char = pattern[at];
    if (char === "\\") {
      if (/[1-9k]/.test(pattern[at + 1] ?? "")) {
        throw refused(pattern, "refers back to a group, which can take for ever");
      }
      at += 2;
    } else if (char === "[") {
      at = endOfClass(pattern, at);
    } else if (char === "(") {
      if (pattern[at + 1] === "?" && pattern[at + 2] !== ":") {
        throw refused(pattern, "looks around, which is not supported");
      }
      groups.push(false);
      at += pattern[at + 1] === "?" ? 3 : 1;
    } else if (char === ")") {
      heavy = groups.pop() ?? false;
      if (heavy && groups.length > 0) groups[groups.length - 1] = true;
      at++;
    } else {
      if (char === "|" && groups.length > 0) groups[groups.length - 1] = true;
      at++;
    }
  }
}

/** The place behind the class that begins at `start`. */
function endOfClass(pattern: string, start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "]") return at + 1;
  }
  return pattern.length;
}

function refused(pattern: string, why: string): RangeError {
  return new RangeError(`The regular expression ${JSON.stringify(pattern.slice(0, patternLimit))} ${why}`);
}
