/**
 * The practice cluster: a small Kubernetes on loopback, for tests and for trying the tool. It needs nothing but Deno.
 *
 * ```ts
 * await using practice = await startPractice();
 * await practice.addService({ namespace: "dev", name: "orders", ports: [{ port: 80, targetPort: 8080 }], replicas: 2 });
 * const kubeconfig = practice.kubeconfig(); // JSON, which is YAML; user "admin", namespace "default"
 * ```
 *
 * What it is made of, in the order in which a byte meets it:
 *
 * - **Line** (`line.ts`): the TCP port that clients dial. It can be slow, lose its connections, swallow everything, or close.
 * - **API server** (`api_server.ts`, `rest.ts`): HTTPS (HTTP/1.1) with client certificates, tokens and impersonation; rules per user; REST,
 *   watches and patches over a table of resources; errors are `Status` objects in Kubernetes' words.
 * - **Controllers**: Services get ClusterIPs, EndpointSlices and Endpoints; Deployments and StatefulSets get pods; what loses its owner goes.
 *   They run as soon as something changes; `settled()` resolves when they have nothing left to do. It waits neither for a probe to succeed nor for a
 *   process to take its leave: `until` does.
 * - **Pods** (`kubelet.ts`, `running_pod.ts`): a container runs the *program* that is registered under its image's name. Programs listen on real
 *   loopback sockets; the API shows 10.244.x.y, and `network.ts` knows which socket is meant. Stock image: `practice/workload` (8080 HTTP, 7000 TCP).
 * - **Processes** (`process_program.ts`): the stock images of Node and Deno run their container's command as a process of its own, with its
 *   variables, with ConfigMaps and Secrets as files, and with its pod's network: `pod_network.cjs`, loaded before the program, asks `pod_gate.ts`
 *   where it really listens and connects to, so that the program runs as it would in a cluster and knows nothing of this one. Readiness probes are made
 *   (periods from 100 ms on), exits lead to restarts and CrashLoopBackOff, deletion to SIGTERM and, after the grace period, SIGKILL.
 * - **Refusals**: ResourceQuota, Pod Security by the namespace's label, admission webhooks (`faults.denyAdmission`), nodes without room, images that do
 *   not exist, ConfigMaps that are missing: in conditions and Events, in Kubernetes' words. Of Events, only Warnings are recorded.
 * - **Port-forward** (`port_forward.ts`): SPDY/3.1, plain or inside a WebSocket, with the manners of a real container runtime.
 *
 * Users: `admin` (token, may do everything), `admin-certificate` (the same by client certificate); `addUser` adds others with rules of their own.
 * Faults are in `practice.faults`, and what happened in `practice.counters`.
 *
 * A pod's state can be chosen by the annotation `practice/state` of its template ({@linkcode PodState}) or later by `setPodState`;
 * `practice/linger` is for how many milliseconds it goes on serving after it was deleted.
 *
 * For tests: `PracticeClient` (plain HTTP as one of the users), `upgrade` and `SpdyTestClient` (port-forward, frame by frame), `stock()` (a
 * scene with services in all states), `childProgram` (a process as a pod).
 *
 * @module
 */
import { Admission } from "./admission.ts";
import { ApiServer } from "./api_server.ts";
import { CertificateAuthority } from "./certificate_authority.ts";
import type { Issued } from "./certificate_authority.ts";
import { Controllers } from "./controllers.ts";
import { Counters } from "./counters.ts";
import { EndpointsController } from "./endpoints_controller.ts";
import { DelayedView } from "./delayed_view.ts";
import { EventRecorder } from "./event_recorder.ts";
import { Exec, type ExecProgram } from "./exec.ts";
import type { Faults } from "./faults.ts";
import { firstObjects } from "./first_objects.ts";
import { Inside } from "./inside.ts";
import type { KubeObject, Manifest } from "./kube_object.ts";
import { Kubelet } from "./kubelet.ts";
import { Line } from "./line.ts";
import { Network } from "./network.ts";
import type { RealAddress } from "./network.ts";
import { node } from "./node.ts";
import { PodGate } from "./pod_gate.ts";
import type { PodState } from "./pod_state.ts";
import { PortForward } from "./port_forward.ts";
import type { Program } from "./program.ts";
import { Registry } from "./registry.ts";
import { Rest } from "./rest.ts";
import { RunningPractice } from "./running_practice.ts";
import type { ServerCertificate } from "./server_certificate.ts";
import { ServerFaults } from "./server_faults.ts";
import type { ServiceManifestOptions } from "./service_manifests.ts";
import { Store } from "./store.ts";
import { Users } from "./users.ts";
import type { UserOptions } from "./users.ts";
import { Watches } from "./watches.ts";
import { WorkloadController } from "./workload_controller.ts";
import { workload } from "./workload.ts";

/** What a practice cluster can be asked to be. */
export interface PracticeOptions {
  /** Version to claim. From 1.35 on, a port-forward over WebSocket needs the verb `create` beside `get`. Default `1.34.1`. */
  readonly version?: string;
  /** What is wrong with the server's certificate. Default `good`. */
  readonly certificate?: ServerCertificate;
  /** Programs by image name, beside the stock one. */
  readonly programs?: Readonly<Record<string, Program>>;
  /** What programs started in pods by `pods/exec` say. By default no container has any program but its own. */
  readonly exec?: ExecProgram;
  /** Users beside `admin` and `admin-certificate`. */
  readonly users?: readonly UserOptions[];
  /** Gives pods and, on request (`ipFamilyPolicy`), Services an IPv6 address too. Default false. */
  readonly dualStack?: boolean;
  /** False for a server before 1.21, which knows Endpoints only. Default true. */
  readonly endpointSlices?: boolean;
  /** Milliseconds for which a forwarded connection lives on once one side has ended. Default 1000, as containerd has it. */
  readonly teardown?: number;
  /** Milliseconds before a container that has ended by itself is started for the third time; then twice as long. Default 10000, as Kubernetes has it. */
  readonly backOff?: number;
  /** Milliseconds until connections from pods follow a change of Services and their endpoints, as kube-proxy has it. Default 0. */
  readonly proxyDelay?: number;
}

/** A running practice cluster. */
export interface Practice extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  readonly port: number;
  /** The authority that clients trust, PEM. */
  readonly authority: string;
  /** Text of a kubeconfig with one context, `practice`. Throws a RangeError for a user that does not exist. */
  kubeconfig(user?: string, options?: { readonly namespace?: string; readonly server?: string }): string;
  /** Adds a user, or replaces one. */
  addUser(user: UserOptions): Promise<void>;
  /** The bearer token of a user as it is now. */
  token(user: string): string;
  /** The client certificate of a user that has one. */
  certificate(user: string): Issued | undefined;

  /** Creates or replaces objects, namespaces included where missing, and waits until the cluster has settled. */
  apply(...manifests: readonly Manifest[]): Promise<void>;
  /** A Service with a Deployment (or StatefulSet) behind it. Waits until the cluster has settled. */
  addService(options: ServiceManifestOptions): Promise<void>;
  /** One object; resources are named as in paths: `services`, `deployments.apps`, `endpointslices.discovery.k8s.io`. */
  get<T extends KubeObject>(resource: string, namespace: string, name: string): T | undefined;
  /** All objects of a resource, in one namespace or in all, sorted by name. */
  list<T extends KubeObject>(resource: string, namespace?: string): readonly T[];
  /** Deletes one object as `kubectl delete` would; pods get their grace period. */
  remove(resource: string, namespace: string, name: string): Promise<void>;
  /** Resolves when controllers and pods have nothing left to do: pods have started, or failed, and all objects say so. */
  settled(): Promise<void>;
  /** Resolves with the first value that is not undefined; looks again after each change of the cluster. */
  until<T>(look: () => T | undefined, signal?: AbortSignal): Promise<T>;

  /** Puts a pod into a state, until it is deleted. */
  setPodState(namespace: string, name: string, state: PodState): Promise<void>;
  /** Deletes a pod at once, in the middle of whatever it does: its connections are reset. */
  killPod(namespace: string, name: string): Promise<void>;
  /** Evicts a pod as a node short of memory does: its containers are killed, it stays as `Failed`, `Evicted`. */
  evictPod(namespace: string, name: string): Promise<void>;
  /**
   * Takes the node away, with all pods, as if its power had failed, and puts another in its place, on which controllers make new pods. A real
   * cluster takes minutes to give up a node; this one gives it up at once.
   */
  loseNode(): Promise<void>;
  /**
   * Opens a connection as a program inside the cluster would: `host` is a service or pod by any of its DNS names, a ClusterIP or a pod IP.
   * ClusterIPs balance over ready endpoints. `namespace` is the one of the pod that dials. Rejects with `Deno.errors.ConnectionRefused`
   * or with `Deno.errors.NotFound`.
   */
  dialFromPod(host: string, port: number, options?: { readonly namespace?: string }): Promise<Deno.TcpConn>;

  /**
   * Puts a host outside the cluster that pods can reach: a name (lower case) or an address, one port of which is a real socket on this machine.
   */
  addOutside(host: string, port: number, real: { readonly hostname: string; readonly port: number }): void;

  /** Things that go wrong. */
  readonly faults: Faults;
  /** What was asked of the server. */
  readonly counters: Counters;
  /** Ends everything. May be called again. */
  stop(): Promise<void>;
}

/** Starts a practice cluster. It holds the namespaces `default` and `kube-system`, one node, and the Service `kubernetes`. */
export async function startPractice(options: PracticeOptions = {}): Promise<Practice> {
  const {
    version = "1.34.1",
    certificate = "good",
    dualStack = false,
    endpointSlices = true,
    teardown = 1000,
    backOff = 10_000,
    proxyDelay = 0,
  } = options;
  const authority = await CertificateAuthority.create("practice");
  const store = new Store();
  const admission = new Admission(store, dualStack);
  const registry = new Registry(store, admission);
  const events = new EventRecorder(registry);
  const controllers = new Controllers(store, [
    new WorkloadController(store, registry, events),
    new EndpointsController(store, registry, endpointSlices),
  ]);
  const counters = new Counters();
  const users = new Users();
  const network = new Network();
  const watches = new Watches(store, counters);
  const serverFaults = new ServerFaults();
  const programs = new Map(Object.entries({ "practice/workload": workload, ...options.programs }));
  const extra = new Map<string, RealAddress>();
  const view = proxyDelay > 0 ? new DelayedView(store, proxyDelay) : undefined;
  const inside = new Inside(view ?? store, network, extra);
  const gate = new PodGate(inside, network);
  const kubelet = await Kubelet.start({
    store,
    registry,
    network,
    inside,
    gate,
    events,
    backOff,
    programs,
    dualStack,
  });
  const line = new Line(counters);
  const portForward = new PortForward({
    registry,
    network,
    counters,
    faults: serverFaults,
    link: (port) => line.link(port),
    teardown,
  });
  const exec = new Exec(registry, options.exec ?? (() => undefined));
  const hidden = new Set(endpointSlices ? [] : ["endpointslices.discovery.k8s.io"]);
  const server = await ApiServer.start({
    version,
    certificate: await serverCertificate(certificate, authority),
    clientAuthority: authority.certificate,
  }, {
    rest: new Rest(version, hidden, {
      store,
      registry,
      users,
      watches,
      log: (uid, previous) => kubelet.log(uid, previous),
    }),
    users,
    counters,
    faults: serverFaults,
    upgrades: new Map([
      ["portforward", (request, info, socket) => portForward.upgrade(request, info, socket)],
      ["exec", (request, info, socket) => exec.upgrade(request, info, socket)],
    ]),
  });
  line.to = server.port;
  await line.listen();
  extra.set(`${node.address}:6443`, { hostname: "127.0.0.1", port: line.port });
  const practice = new RunningPractice({
    admission,
    authority,
    controllers,
    counters,
    gate,
    inside,
    kubelet,
    line,
    portForward,
    registry,
    server,
    serverFaults,
    store,
    users,
    view,
    watches,
  });
  for (const user of [adminByToken, adminByCertificate, ...options.users ?? []]) await practice.addUser(user);
  await practice.apply(...firstObjects(endpointSlices));
  return practice;
}

const adminByToken: UserOptions = { name: "admin", groups: ["system:masters"] };
const adminByCertificate: UserOptions = { name: "admin-certificate", groups: ["system:masters"], by: "certificate" };

function serverCertificate(wrong: ServerCertificate, authority: CertificateAuthority) {
  const names = wrong === "other-name"
    ? ["kubernetes.example"]
    : ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc"];
  const wanted = { commonName: "kube-apiserver", names, expired: wrong === "expired" };
  if (wrong !== "other-ca") return authority.issue(wanted);
  return CertificateAuthority.create("somebody else").then((other) => other.issue(wanted));
}
