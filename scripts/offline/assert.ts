// The assertions of `@std/assert` that the tests use. Equality and its diff are Node's strict deep equality, which differs
// from the real package's only in corners (`0` and `-0`).
import { deepStrictEqual } from "node:assert";
import { isDeepStrictEqual } from "node:util";

/** What every assertion throws. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

// deno-lint-ignore no-explicit-any -- any class, whatever its constructor takes
type Class<T> = abstract new (...args: any[]) => T;

/** Fails unless `value` is truthy. */
export function assert(value: unknown, message = ""): asserts value {
  if (!value) throw new AssertionError(message);
}

/** Fails unless `value` is falsy. */
export function assertFalse(value: unknown, message?: string): void {
  if (value) raise("Expected a falsy value", `got ${show(value)}`, message);
}

/** Fails always. */
export function fail(message?: string): never {
  raise("Failed assertion", "", message);
}

/** Fails if `value` is null or undefined. */
export function assertExists<T>(value: T, message?: string): asserts value is NonNullable<T> {
  if (value === null || value === undefined) raise("Expected a value", `got ${value}`, message);
}

/** Fails unless both values are of the same shape, types and contents, all the way down. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (difference) {
    raise("Values are not equal", `\n${(difference as Error).message.replace(/^.*\n/, "")}`, message);
  }
}

/** Fails if {@linkcode assertEquals} passes. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (isDeepStrictEqual(actual, expected)) raise("Expected values that differ", `both are ${show(actual)}`, message);
}

/** Fails unless both are the same value by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (!Object.is(actual, expected)) {
    raise("Values are not strictly equal", `\n+ ${show(actual)}\n- ${show(expected)}`, message);
  }
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) raise(`Expected ${show(expected)} in`, show(actual), message);
}

/** Fails unless `expected` matches somewhere in `actual`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (actual.search(expected) < 0) raise(`Expected a match of ${expected} in`, show(actual), message);
}

/** Fails unless `actual` is an instance of `expected`. */
export function assertInstanceOf<T>(actual: unknown, expected: Class<T>, message?: string): asserts actual is T {
  if (!(actual instanceof expected)) raise(`Expected an instance of ${expected.name}`, `got ${show(actual)}`, message);
}

/** Fails unless `fn` throws, and throws an `ErrorClass` whose message includes `messageIncludes` where they are given. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  messageIncludes?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ErrorClass?: Class<Error> | string,
  messageIncludes?: string,
  message?: string,
): unknown {
  let thrown: { readonly error: unknown } | undefined;
  try {
    fn();
  } catch (error) {
    thrown = { error };
  }
  if (!thrown) raise("Expected the function to throw", "", typeof ErrorClass === "string" ? ErrorClass : message);
  return expected(thrown.error, ErrorClass, messageIncludes, message);
}

/** Fails unless the promise of `fn` rejects, with an error as {@linkcode assertThrows} wants it. */
export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: Class<Error> | string,
  messageIncludes?: string,
  message?: string,
): Promise<unknown> {
  const what = typeof ErrorClass === "string" ? ErrorClass : message;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    raise("Expected the function to reject, not to throw", show(error), what);
  }
  let rejected: { readonly error: unknown } | undefined;
  try {
    await promise;
  } catch (error) {
    rejected = { error };
  }
  if (!rejected) raise("Expected the function to reject", "", what);
  return expected(rejected.error, ErrorClass, messageIncludes, message);
}

function expected(
  error: unknown,
  ErrorClass: Class<Error> | string | undefined,
  messageIncludes: string | undefined,
  message: string | undefined,
): unknown {
  if (ErrorClass === undefined || typeof ErrorClass === "string") return error;
  assertInstanceOf(error, ErrorClass, message);
  if (messageIncludes !== undefined) assertStringIncludes(error.message, messageIncludes, message);
  return error;
}

function raise(what: string, detail: string, message: string | undefined): never {
  throw new AssertionError([message, what, detail].filter(Boolean).join(": "));
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 6, strAbbreviateSize: 2000 });
}
