import type { Owner } from "../../src/agent/protocol.ts";
import { openAccess } from "../../src/cluster/open_access.ts";
import { type OpenApi, openApi } from "../../src/cluster/open_api.ts";
import { openDirectory } from "../../src/cluster/open_directory.ts";
import { standardImage } from "../../src/inbound/agent_image.ts";
import type { InboundDeps, InboundRequest } from "../../src/inbound/inbound.ts";
import { parseExpose } from "../../src/inbound/expose.ts";
import { parseMatch } from "../../src/inbound/mark.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { relay } from "../../src/stream/relay.ts";
import { ClusterDialer } from "../../src/tunnel/cluster_dialer.ts";
import { type Practice, startPractice } from "../practice/practice.ts";
import type { ServiceObject } from "../practice/service_object.ts";
import { FakeAgent } from "./fake_agent.ts";

/** How fast time goes for the dead, whose program here goes on: nobody should wait for what it still tries. */
const haste = 100;

/** A namespace `dev` with a service `orders`, and laptops that can reach it. */
export interface Scene extends AsyncDisposable {
  readonly practice: Practice;
  readonly agent: FakeAgent;
  /** What was told as events. */
  readonly told: string[];
  /** A laptop of its own: connections of its own, and all it needs. */
  laptop(): Promise<Laptop>;
  /** The local port of a program that sends back what it gets. */
  readonly echoPort: number;
}

/** One developer's side. */
export interface Laptop {
  readonly api: OpenApi;
  readonly deps: InboundDeps;
  /** Dead from one moment to the next: all connections gone, nothing said. */
  kill(): void;
}

/** Starts it; the agent is a {@linkcode FakeAgent}. */
export async function openScene(): Promise<Scene> {
  const agent = new FakeAgent();
  const opened = new AsyncDisposableStack();
  const practice = opened.use(await startPractice({ programs: { [standardImage]: agent.program } }));
  await practice.addService({
    namespace: "dev",
    name: "orders",
    ports: [{ name: "web", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }],
    replicas: 2,
  });
  const kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
  opened.defer(() => Deno.remove(kubeconfig));
  await Deno.writeTextFile(kubeconfig, practice.kubeconfig());
  const echo = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => void relay(stream, stream));
  opened.defer(() => echo.close());
  const told: string[] = [];
  return {
    practice,
    agent,
    told,
    echoPort: echo.port,
    async laptop() {
      const access = await openAccess({ kubeconfig });
      const api = openApi(access);
      const directory = await openDirectory(api, { namespace: "dev" }, { clock: systemClock, log: silentLog });
      const dialer = new ClusterDialer({ access, directory });
      let diedAt = Infinity;
      const kill = () => {
        if (diedAt < Infinity) return;
        diedAt = systemClock.now();
        dialer.close();
        directory.close();
        api.close();
      };
      opened.defer(() => {
        kill();
        dialer.close(); // whoever did not know that they were dead has gone on dialing
      });
      const log = {
        event: (message: string) => void told.push(message),
        error: (message: string) => void told.push(message),
        warn: (message: string) => void told.push(message),
        info() {},
        debug() {},
      };
      const clock: Clock = {
        ...systemClock,
        now: () => systemClock.now() + Math.max(0, systemClock.now() - diedAt) * (haste - 1),
        sleep: (ms, signal) => systemClock.sleep(diedAt < Infinity ? ms / haste : ms, signal),
      };
      return { api, kill, deps: { api, dialer, clock, log, agentProgram: "// none" } };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** An exchange of port 80 of `orders` in `dev`, changed as a test wants it. */
export function exchangeOf(
  name: string,
  local: number,
  changes: Partial<InboundRequest> = {},
): InboundRequest & { readonly owner: Owner } {
  return {
    kind: "exchange",
    namespace: "dev",
    service: "orders",
    exposes: [parseExpose(`${local}:80`)],
    match: [],
    fallback: "origin",
    image: { image: standardImage, pullSecrets: [] },
    insist: false,
    owner: { id: crypto.randomUUID().slice(0, 8), name },
    ...changes,
  };
}

/** A mesh of the same by a mark, as in `header=version:blue`. */
export function meshOf(
  name: string,
  local: number,
  mark: string,
  changes: Partial<InboundRequest> = {},
): InboundRequest {
  return exchangeOf(name, local, { kind: "mesh", match: [parseMatch(mark)], ...changes });
}

/** The selector of a service of `dev` as JSON. */
export function selectorOf(practice: Practice, service: string): string {
  return JSON.stringify(practice.get<ServiceObject>("services", "dev", service)?.spec.selector);
}

/** What there is in `dev` but for what Kubernetes keeps by itself: kind, name and whatever a user would see changed. */
export function objectsOf(practice: Practice): string[] {
  const whole = ["services", "deployments.apps", "statefulsets.apps", "ingresses.networking.k8s.io"];
  const resources = [...whole, "configmaps", "secrets", "leases.coordination.k8s.io", "pods"];
  return resources.flatMap((resource) =>
    practice.list(resource, "dev").filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata, spec }) => {
      const { name, labels, annotations } = metadata;
      return JSON.stringify([resource, name, labels, annotations, whole.includes(resource) ? spec : ""]);
    })
  );
}

/** The same without pods, which have other names once their workload was away. */
export function lastingObjectsOf(practice: Practice): string[] {
  return objectsOf(practice).filter((object) => !object.startsWith('["pods",'));
}

/** An exchange of both ports of `orders` in `dev` that scales its workload to zero. */
export function scaleOf(
  name: string,
  local: number,
  changes: Partial<InboundRequest> = {},
): InboundRequest & { readonly owner: Owner } {
  const exposes = [parseExpose(`${local}:80`), parseExpose(`${local}:7000`)];
  return exchangeOf(name, local, { exposes, variant: { kind: "scale" }, ...changes });
}

/** How many replicas a deployment of `dev` is to have. */
export function replicasOf(practice: Practice, name: string): number {
  const { spec } = practice.get("deployments.apps", "dev", name) as unknown as { spec: { replicas: number } }; // a Deployment's
  return spec.replicas;
}
