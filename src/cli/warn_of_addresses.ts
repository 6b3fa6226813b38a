import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { concernsCluster } from "../proxy/concerns_cluster.ts";
import type { Route } from "../proxy/route.ts";
import type { Router } from "../proxy/routing.ts";
import { DialError } from "../tunnel/dialer.ts";

/** What is looked at with. */
export interface WarnOfAddressesDeps {
  readonly router: Pick<Router, "route">;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/** Milliseconds; what is not known by then is left to the browser. */
const patience = 3_000;

/** Warns of each address that the cluster cannot answer at this moment, by trying a connection; those outside are left alone. Rejects only when the signal aborts. */
export async function warnOfAddresses(
  hrefs: readonly string[],
  deps: WarnOfAddressesDeps,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(hrefs.map(async (href) => {
    const why = await complaint(new URL(href), deps, signal);
    if (why !== undefined) deps.log.warn(why);
  }));
}

async function complaint(
  url: URL,
  { router, clock }: WarnOfAddressesDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const scheme = url.protocol === "https:" ? "https" : "http";
  const port = Number(url.port) || (scheme === "https" ? 443 : 80);
  const target = { host: url.hostname.replace(/^\[|\]$/g, ""), port };
  const late = new Error("no answer in time");
  let route: Route | undefined;
  try {
    await withDeadline(clock, patience, signal, () => late, async (signal) => {
      route = await router.route(target, scheme, signal);
      if (route.via === "direct" && !route.ifUnknown) return;
      (await route.dial({ signal })).close();
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DialError && concernsCluster(error, route)) return error.message;
  }
}
