import { LeaseSightings, type Liveness } from "./lease_sightings.ts";
import { recover, type Recovered } from "./recover.ts";
import type { LockDeps } from "./service_lock.ts";
import { type Held, survey } from "./survey.ts";

/** Where to clean, and how. */
export interface CleanOptions {
  /** Undefined for all namespaces that may be seen. */
  readonly namespace: string | undefined;
  readonly dryRun: boolean;
  readonly holder: string;
  /** Services that are left alone: `namespace/name`. */
  readonly except?: readonly string[];
  /** Told once, where Leases have to be watched before anything can be said: how many participants, and for how many seconds at most. */
  readonly onWait?: (participants: number, seconds: number) => void;
}

/** What became of one Service. */
export type Cleaned =
  & { readonly held: Held }
  & (
    /** Nobody takes part any more; with `dryRun`, it would be restored. */
    | { readonly outcome: "restored"; readonly recovered: Recovered | undefined }
    /** Somebody lives; those who were seen to are the participants. */
    | { readonly outcome: "alive" }
    | { readonly outcome: "failed"; readonly error: Error }
  );

const interval = 2_000;
/** For people: the Leases of participants last 40 s, with 2 s for the clocks of API servers, and are looked at every 2 s. */
const longest = 44;

/**
 * Restores every Service in which nobody takes part any more. Works without any local state. Who lives is told by watching whether their Lease is renewed,
 * within 10 s; whoever has not renewed it for 40 s is gone.
 */
export async function clean(
  options: CleanOptions,
  deps: LockDeps,
  signal: AbortSignal,
): Promise<readonly Cleaned[]> {
  const { namespace, dryRun, holder, except = [], onWait } = options;
  const { api, clock } = deps;
  const sightings = new LeaseSightings(clock, deps.process);
  const done: Cleaned[] = [];
  const decided = new Set<string>();
  let begun: ReadonlySet<string> | undefined;
  for (let told = false;; await clock.sleep(interval, signal)) {
    let unknown = 0;
    const over: Held[] = [];
    const found = await survey(api, namespace, signal);
    begun ??= new Set(found.flatMap(({ participants }) => participants.map(({ lease }) => lease.metadata.uid ?? "")));
    for (const held of found) {
      const key = `${held.namespace}/${held.service}`;
      if (decided.has(key) || except.includes(key)) continue;
      const seen = held.participants.map(({ lease, date }): Liveness => {
        const liveness = sightings.see(lease, date);
        // Who has come since we began to look lives: others' comings and goings must not make us look for ever.
        return begun?.has(lease.metadata.uid ?? "") ? liveness : "alive";
      });
      const verdict = judge(seen);
      if (verdict === "unknown") {
        unknown += seen.length;
        continue;
      }
      decided.add(key);
      if (verdict === "alive") {
        const participants = held.participants.filter((_, at) => seen[at] === "alive");
        done.push({ held: { ...held, participants }, outcome: "alive" });
      } else over.push(held);
    }
    // At the same time: each agent takes some seconds to end.
    done.push(...await Promise.all(over.map((held) => finish(held, sightings, dryRun, holder, deps, signal))));
    if (unknown === 0) return done;
    if (!told) onWait?.(unknown, longest);
    told = true;
  }
}

function judge(seen: readonly Liveness[]): Liveness {
  if (seen.includes("alive")) return "alive";
  return seen.every((each) => each === "expired") ? "expired" : "unknown";
}

async function finish(
  held: Held,
  sightings: LeaseSightings,
  dryRun: boolean,
  holder: string,
  deps: LockDeps,
  signal: AbortSignal,
): Promise<Cleaned> {
  if (dryRun) return { held, outcome: "restored", recovered: undefined };
  const { namespace, service } = held;
  try {
    const recovered = await recover(
      {
        namespace,
        service,
        holder,
        // Somebody may have joined, or woken up, in the meantime.
        unless: (leases, date) => leases.some((lease) => sightings.see(lease, date) !== "expired"),
      },
      deps,
      signal,
    );
    return recovered ? { held, outcome: "restored", recovered } : { held, outcome: "alive" };
  } catch (error) {
    signal.throwIfAborted();
    return { held, outcome: "failed", error: error instanceof Error ? error : new Error(String(error)) };
  }
}
