import type { Api } from "../cluster/api.ts";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";

/** Milliseconds that the API server has for a write. */
const patience = 10_000;

/**
 * An Api whose writes, once begun, come to their end whatever becomes of the signal: of one that is broken off nobody knows whether the server has done it, so
 * that nobody would undo it. They reject where the server takes more than 10 s.
 */
export function finishingWrites(api: Api, clock: Clock): Api {
  const never = new AbortController().signal;
  const late = () => new Error(`The API server takes more than ${patience / 1000} s for a write`);
  const finishing = async <T>(signal: AbortSignal, write: (signal: AbortSignal) => Promise<T>) => {
    signal.throwIfAborted();
    return await withDeadline(clock, patience, never, late, write);
  };
  return {
    get: (path, query, signal) => api.get(path, query, signal),
    list: (path, query, signal) => api.list(path, query, signal),
    watch: (path, query, version, onVersion, signal) => api.watch(path, query, version, onVersion, signal),
    create: (path, body, signal) => finishing(signal, (limit) => api.create(path, body, limit)),
    patch: (path, type, body, query, signal) => finishing(signal, (limit) => api.patch(path, type, body, query, limit)),
    delete: (path, body, signal) => finishing(signal, (limit) => api.delete(path, body, limit)),
  };
}
