import { chooseEndpoints } from "../cluster/choose_endpoints.ts";
import type { Service } from "../cluster/directory.ts";
import { explainNoReadyPod } from "../cluster/no_ready_pod.ts";
import { Failure } from "../platform/failure.ts";
import { aborted } from "../platform/interrupt.ts";
import { didYouMean } from "../platform/nearest.ts";
import type { Duplex } from "../stream/duplex.ts";
import type { ClusterDialer } from "../tunnel/cluster_dialer.ts";
import type { Dialer, DialOptions } from "../tunnel/dialer.ts";
import { containerPort, WorkloadDialer } from "../tunnel/workload_dialer.ts";
import { openLocalDatagramPort } from "../wiring/local_datagram_port.ts";
import { type LocalPort, openLocalPort } from "../wiring/local_port.ts";
import { columns } from "./columns.ts";
import { accessOptions, relayOptions } from "./connection_options.ts";
import type { CliDeps } from "./deps.ts";
import type { ForwardInvocation } from "./grammar/forward.ts";
import { joinRelay } from "./join_relay.ts";
import { type Cluster, openCluster } from "./open_cluster.ts";
import { type Forward, type ForwardedPort, parseForwards } from "./parse_forwards.ts";
import { UsageError } from "./usage_error.ts";
import { warnWithoutTunnels } from "./warn_without_tunnels.ts";

/** The ways to what can be forwarded. */
interface Ways extends Pick<Cluster, "access" | "api" | "directory"> {
  readonly dialer: Pick<ClusterDialer, "dial" | "dialFound" | "dialPods">;
  /** Reaches what the cluster itself does not know; undefined without relay. */
  readonly relay: Dialer | undefined;
}

/** A port to open, and how to reach what it stands for. */
interface Plan {
  /** The target as it was written. */
  readonly target: string;
  readonly port: ForwardedPort;
  dial(options: DialOptions): Promise<Duplex>;
}

/**
 * `hawser forward`. JSON: `{ forwards: { target, remote, address, port }[] }` in one line once all listen; `remote` is the number or name asked for,
 * `address` and `port` are local.
 */
export async function forward({ options, words }: ForwardInvocation, deps: CliDeps): Promise<number> {
  const forwards = parseForwards(words);
  const { terminal, log } = deps;
  const udp = forwards.flatMap(({ ports }) => ports).find(({ network }) => network === "udp");
  if (udp && !options.relay) {
    throw new UsageError(`Port ${udp.remote}/udp is UDP, which a port-forward cannot carry: add --relay`, "forward");
  }
  const interrupts = deps.watchInterrupts();
  try {
    terminal.progress("Connecting…");
    const wanted = { access: accessOptions(options), namespaces: [], zone: undefined };
    await using opened = new AsyncDisposableStack();
    const cluster = opened.use(await openCluster(wanted, deps, interrupts.signal));
    opened.defer(warnWithoutTunnels(cluster, deps));
    const image = relayOptions(options);
    const onProgress = (state: string) => terminal.progress(state);
    const relay = image && await joinRelay(image, cluster, { ...deps, onProgress }, interrupts.signal);
    if (relay) opened.defer(() => relay.close());
    const ways: Ways = { ...cluster, dialer: relay?.cluster ?? cluster.dialer, relay: relay?.dialer };
    const plans = (await Promise.all(forwards.map((each) => plan(each, ways, deps, interrupts.signal)))).flat();
    const rows = [];
    for (const each of plans) {
      const remote = each.port.network === "udp" ? `${each.port.remote}/udp` : each.port.remote;
      const name = `${each.target}:${remote}`;
      const local = await listen(options.address, each, (error) => log.event(`${name}: ${error.message}`));
      opened.defer(() => local.close());
      rows.push({ target: each.target, remote, address: local.host, port: local.port });
    }
    if (options.output === "json") terminal.print(JSON.stringify({ forwards: rows }));
    else {
      const host = (address: string) => address.includes(":") ? `[${address}]` : address;
      terminal.print(
        columns(rows.map(({ target, remote, address, port }) => [`${host(address)}:${port}`, `${target}:${remote}`]))
          .join("\n"),
      );
      terminal.tell("Ready. Ctrl-C ends it.");
    }
    return await aborted(interrupts.signal);
  } finally {
    interrupts.close();
  }
}

async function listen(
  host: string,
  { port, dial }: Plan,
  onFailure: (error: Error) => void,
): Promise<Pick<LocalPort, "host" | "port" | "close">> {
  try {
    return await (port.network === "udp" ? openLocalDatagramPort : openLocalPort)({ host, port: port.local ?? 0 }, {
      dial: (client, signal) => dial({ client, signal, early: true }),
      onFailure,
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const other = `another local one, as in :${port.remote} for any`;
    if (code === "EADDRINUSE") {
      throw new Failure(`Port ${port.local} on ${host} is taken by another program: write ${other}`);
    }
    if (code === "EACCES") throw new Failure(`Port ${port.local} on ${host} is reserved by the system: write ${other}`);
    if (code === "EADDRNOTAVAIL") throw new Failure(`${host} is no address of this machine: leave --address out`);
    throw error;
  }
}

/** Looks at a target before anything is opened, so that a slip in a name is told at once. */
async function plan(wanted: Forward, cluster: Ways, deps: CliDeps, signal: AbortSignal): Promise<Plan[]> {
  return wanted.target.kind === "host"
    ? await planHost(wanted, wanted.target.host, cluster, deps, signal)
    : await planWorkload(
      wanted,
      new WorkloadDialer(wanted.target.workload, cluster.access.namespace, { ...cluster, clock: deps.clock }),
      deps,
      signal,
    );
}

async function planHost(
  { target, ports }: Forward,
  host: string,
  { directory, dialer, access, relay }: Ways,
  { log }: CliDeps,
  signal: AbortSignal,
): Promise<Plan[]> {
  const found = await directory.lookup(host, signal);
  switch (found.kind) {
    case "missing":
      throw new Failure(found.message);
    case "forbidden":
      if (!relay) throw new Failure(found.message);
      return planRelayed(target, ports, host, relay);
    case "foreign":
    case "empty": {
      // Whether there is such an address inside, only a connection shows.
      if (relay && found.kind === "foreign") return planRelayed(target, ports, host, relay);
      const names = directory.services().map(({ name }) => name);
      const outside = found.kind === "foreign" ? "; an address that only the cluster can reach takes --relay" : "";
      throw new Failure(
        `There is no service "${host}" in namespace "${access.namespace}" of context "${access.context}".${
          didYouMean(host, names)
        } Targets of other kinds are written as deploy/NAME, sts/NAME, pod/NAME${outside}`,
      );
    }
    case "pod":
      return planned(
        ports.length > 0 ? ports : only(found.pod.ports, target.text),
        target.text,
        ({ remote, network }, options) =>
          dialer.dialFound(found, { host, port: containerPort(found.pod, remote), network }, options),
      );
    case "service":
    case "endpoint": {
      const { service } = found;
      if (service.kind === "ExternalName" && !relay) {
        throw new Failure(
          `Service "${service.name}" in namespace "${service.namespace}" stands for the outside name ` +
            `"${service.externalName}" and has no pods: connect to that name itself, or from inside the cluster, with --relay`,
        );
      }
      const all = ports.length > 0 ? ports : only(service.ports, target.text);
      const endpoints = service.kind === "ExternalName" ? [] : await directory.endpoints(service, signal);
      for (const each of all) {
        const port = servicePort(service, each);
        if (found.kind === "endpoint" || each.network === "udp") continue;
        if (chooseEndpoints(service, port, endpoints).kind !== "not-ready") continue;
        log.event(explainNoReadyPod(service, port, endpoints, await directory.pods(service, signal)));
      }
      return planned(all, target.text, async (port, options) => {
        // A service may have changed since: its present ports count.
        const now = await directory.lookup(host, options.signal);
        const current = now.kind === "service" || now.kind === "endpoint" ? now.service : service;
        return await dialer.dialFound(
          now,
          { host, port: servicePort(current, port), network: port.network },
          options,
        );
      });
    }
  }
}

/** What only the relay knows, or finds out. */
function planRelayed(
  target: Forward["target"],
  ports: readonly ForwardedPort[],
  host: string,
  relay: Dialer,
): Plan[] {
  return planned(ports.length > 0 ? ports : only([], target.text), target.text, ({ remote, network }, options) => {
    if (typeof remote === "number") return relay.dial({ host, port: remote, network }, options);
    throw new Failure(`Port "${remote}" of "${host}" has to be given as a number: nothing tells what the name means`);
  });
}

async function planWorkload(
  { target, ports }: Forward,
  dialer: WorkloadDialer,
  { log }: CliDeps,
  signal: AbortSignal,
): Promise<Plan[]> {
  const { pods } = await dialer.workload(signal);
  const [pod] = pods;
  if (!pod) log.event(`${target.text} has no pods at present`);
  else for (const { remote } of ports) containerPort(pod, remote);
  const udp = ports.find(({ network }) => network === "udp");
  if (udp) {
    throw new UsageError(`UDP goes to services and addresses: name one of them instead of "${target.text}"`, "forward");
  }
  const all = ports.length > 0 ? ports : only(pod?.ports ?? [], target.text);
  return planned(all, target.text, ({ remote }, options) => dialer.dial(remote, options));
}

function planned(
  ports: readonly ForwardedPort[],
  target: string,
  dial: (port: ForwardedPort, options: DialOptions) => Promise<Duplex>,
): Plan[] {
  return ports.map((port) => ({ target, port, dial: async (options) => await dial(port, options) }));
}

/** The port that is meant where none is named. */
function only(
  ports: Service["ports"] | readonly { readonly port: number; readonly protocol: string }[],
  target: string,
): ForwardedPort[] {
  const numbers = ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
  const [port] = numbers;
  if (port !== undefined && numbers.length === 1) return [{ local: port, remote: port, network: "tcp" }];
  const choices = numbers.length === 0 ? "; it declares none itself" : `: ${numbers.join(", ")}`;
  throw new UsageError(`Name the ports of "${target}"${choices}`, "forward");
}

/** The number of a service's port. Throws a {@linkcode Failure} that lists them where there is no such. */
function servicePort({ name, namespace, kind, ports }: Service, { remote, network }: ForwardedPort): number {
  if (typeof remote === "number" && kind !== "ClusterIP") return remote; // headless services pass every port on
  const found = ports.filter((each) => each.port === remote || each.name === remote);
  const fitting = found.find(({ protocol }) => protocol === network.toUpperCase());
  if (fitting) return fitting.port;
  if (found[0]) {
    const { protocol } = found[0];
    const other = protocol === "SCTP" ? "SCTP cannot be carried" : `write ${remote}/${protocol.toLowerCase()}`;
    throw new Failure(`Port ${remote} of service "${name}" is ${protocol}: ${other}`);
  }
  const list = ports.map((each) => each.name === "" ? `${each.port}` : `${each.port} (${each.name})`).join(", ");
  throw new Failure(
    `Service "${name}" in namespace "${namespace}" has no port ${remote}; its ports: ${list || "none"}`,
  );
}
