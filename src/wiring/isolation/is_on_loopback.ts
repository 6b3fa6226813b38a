/** Whether a socket that listens on an address is to be found on loopback. */
export function isOnLoopback(address: string): boolean {
  return address.startsWith("127.") || ["0.0.0.0", "::", "::1"].includes(address);
}
