/** Five characters that are told apart on the telephone. */
export function madeUpVersion(): string {
  const letters = "bcdfghjkmnpqrstvwxz23456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join("");
}
