import type { GivenValues } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Flags that do nothing beside others, or without them. On the command line they are a mistake; from a variable or a setting they are a default, of which nothing
 * comes this time.
 */
export interface IdleFlags {
  /** By their names without hyphens. */
  readonly flags: readonly string[];
  /** Why they do nothing, and what to do: what follows the flag in a sentence without a period. Undefined where they do something. */
  reason(given: GivenValues, words: readonly string[]): string | undefined;
}

/** Throws a {@linkcode UsageError} for the first flag of the command line that does nothing there. */
export function refuseIdleFlags(rules: readonly IdleFlags[], given: GivenValues, words: readonly string[]): void {
  for (const { flags, reason } of rules) {
    const why = reason(given, words);
    if (why === undefined) continue;
    const idle = flags.find((flag) => given.get(flag)?.origin === `--${flag}`);
    if (idle !== undefined) throw new UsageError(`--${idle} ${why}`);
  }
}

/** Where a flag was given, if it was and is not switched off: `--listen`, `HAWSER_LISTEN`. */
export function givenBy(given: GivenValues, flag: string): string | undefined {
  const value = given.get(flag);
  return value?.texts.at(-1) === "false" ? undefined : value?.origin;
}
