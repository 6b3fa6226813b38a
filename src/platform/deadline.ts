import type { Clock } from "./clock.ts";

/**
 * Runs `action` with a signal that aborts after `ms` milliseconds, or with `signal`. Rejects with the reason of whichever came first:
 * what `expired` makes, or the signal's own.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  expired: () => Error,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const cancel = clock.after(ms, () => controller.abort(expired()));
  try {
    return await action(controller.signal);
  } catch (error) {
    // Whatever the action makes of its abort, the reason is what happened.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    cancel();
    signal.removeEventListener("abort", abort);
  }
}
