/** Compares a secret in a time that depends on `given` alone, so that guessing it byte by byte teaches nothing. */
export function equalSecret(secret: string, given: string): boolean {
  const encoder = new TextEncoder();
  const expected = encoder.encode(secret);
  const bytes = encoder.encode(given);
  let difference = expected.length ^ bytes.length;
  for (let at = 0; at < bytes.length; at++) difference |= bytes[at]! ^ (expected[at] ?? 0);
  return difference === 0;
}
