import type { AgentLinks } from "./agent_links.ts";
import type { Farewell } from "./inbound.ts";
import type { Lease } from "./lease.ts";
import type { LeaseSightings } from "./lease_sightings.ts";
import { labels, relayUser } from "./names.ts";
import type { Participation } from "./participation.ts";
import { paths } from "./paths.ts";
import { restoreService } from "./restore_service.ts";
import type { ScaleBackDeps } from "./scale_back.ts";

/** Milliseconds for requests that are under way, here and at the agent. */
const drainPatience = 5_000;

/** Who leaves what. What never came to be is undefined: leaving undoes a beginning, too. */
export interface Leaving {
  readonly namespace: string;
  readonly service: string;
  /** Id of the owner who leaves. */
  readonly owner: string;
  readonly links: AgentLinks | undefined;
  readonly participation: Participation | undefined;
  /** What was seen of the others' Leases so far. */
  readonly sightings: LeaseSightings;
  /** Nobody but this laptop can answer what comes to the agent, so that it does until the agent has gone. */
  readonly alone?: boolean;
  /** Once it has aborted, nothing waits for requests that are under way. */
  readonly hurry?: AbortSignal;
}

/**
 * Takes an owner's rules back and, where nobody else takes part, gives the Service back. To be called with the Service's lock held. Rejects as
 * `restoreService` does; the owner's Lease goes last, so that what is left undone is not taken for finished.
 */
export async function leaveService(
  { namespace, service, owner, links, participation, sightings, alone, hurry }: Leaving,
  deps: ScaleBackDeps,
  signal: AbortSignal,
): Promise<Farewell> {
  const patience = () => hurry?.aborted ? 0 : drainPatience;
  if (!alone) await links?.withdraw(patience(), signal);
  const { items, date } = await deps.api.list<Lease>(
    paths.leases(namespace),
    { labelSelector: `${labels.service}=${service},${labels.owner}` },
    signal,
  );
  const leases = items.filter(({ metadata }) => metadata.labels?.[labels.owner] !== owner);
  const others = await living(service, leases, date, links, sightings, signal);
  let unready: string | undefined;
  if (others.length === 0) {
    const drain = async (limit: AbortSignal) => await links?.drain(patience(), limit);
    ({ unready } = await restoreService({ namespace, service, drain, hurry }, deps, signal));
    for (const { metadata } of leases) {
      await deps.api.delete(`${paths.leases(namespace)}/${metadata.name}`, undefined, signal).catch(() => {});
    }
  }
  await links?.close();
  await participation?.leave(signal);
  return { restored: others.length === 0, others, ...unready !== undefined && { unready } };
}

/**
 * Who goes on. A Lease that we have not watched for long tells nothing about its holder, but the agent does: while we hold the lock nobody is on the way in, so
 * that whoever has no rules there, or no link to a relay, is gone.
 */
async function living(
  service: string,
  leases: readonly Lease[],
  date: number | undefined,
  links: AgentLinks | undefined,
  sightings: LeaseSightings,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const known = leases.map((lease) => ({
    id: lease.metadata.labels?.[labels.owner] ?? "",
    name: lease.spec?.holderIdentity ?? "somebody",
    seen: sightings.see(lease, date),
  })).filter(({ seen }) => seen !== "expired");
  if (known.length === 0) return [];
  const relay = relayUser(service) !== undefined;
  const linked = (await links?.owners(signal).catch(() => undefined))?.filter(({ rules }) => relay || rules.length > 0)
    .map(({ id }) => id);
  return known.filter(({ id, seen }) => seen === "alive" || !linked || linked.includes(id)).map(({ name }) => name);
}
