/** Resolves on the event loop's next turn, after whatever else is ready has run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
