import { basename, join } from "node:path";
import type { Api } from "../cluster/api.ts";
import { canonicalAddress } from "../cluster/canonical_address.ts";
import { parseClusterName } from "../cluster/cluster_name.ts";
import { ConfigReader } from "../cluster/config_reader.ts";
import { containerFiles } from "../cluster/container_files.ts";
import { containerVariables } from "../cluster/container_variables.ts";
import type { Directory, Service } from "../cluster/directory.ts";
import { type ContainerName, findContainer, type FoundContainer } from "../cluster/find_container.ts";
import { serviceVariables } from "../cluster/service_variables.ts";
import { LocalProcess } from "../platform/local_process.ts";
import { isContainerOnly } from "../wiring/container_only.ts";
import { PrivateTree } from "../wiring/private_tree.ts";
import { findRegistries, noRegistration } from "../wiring/registration.ts";
import type { ListenerOf } from "../wiring/rewrite_addresses.ts";
import { rewriteVariables } from "../wiring/rewrite_variables.ts";
import type { ServiceListener } from "../wiring/service_listeners.ts";
import { withVariables } from "../wiring/variables.ts";
import type { CliDeps } from "./deps.ts";
import type { WorkloadWishes } from "./workload_wishes.ts";

/** What of a connection is asked for a container and the ways to services. */
export interface WorkloadReach {
  readonly api: Api;
  readonly directory: Pick<Directory, "namespace" | "zone" | "services">;
  listeners(): readonly ServiceListener[];
}

/** What a program gets of its container. */
export interface WorkloadVariables extends AsyncDisposable {
  /** To be set over the user's own environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** What is missing, left out or worth knowing: whole sentences without a period, never a value. */
  readonly remarks: readonly string[];
}

/**
 * The variables that the flags of a workload ask for: those of services and of the container, then of files, then the switches against registration, then `--set`; the later one wins. Disposing of
 * it removes what was written. `reach` is undefined where a running session is used: `--env-from` and `--files-from` are then refused before. Rejects with errors whose messages are for people.
 */
export async function workloadVariables(
  wishes: WorkloadWishes,
  program: string,
  reach: WorkloadReach | undefined,
  deps: Pick<CliDeps, "env" | "os" | "paths">,
  signal: AbortSignal,
): Promise<WorkloadVariables> {
  const { env, os } = deps;
  const remarks: string[] = [];
  await using opened = new AsyncDisposableStack();
  const merge = (...layers: readonly Readonly<Record<string, string>>[]) =>
    layers.reduce<Record<string, string>>((before, layer) => withVariables(before, layer, os), {});
  const services = reach && (wishes.envFrom || wishes.rewrite) ? localServices(reach) : {};
  const reader = reach && new ConfigReader(reach.api, reach.directory.namespace, signal);
  const find = finder(reach, signal);

  let imported: Record<string, string> = {};
  const envFrom = reader && wishes.envFrom && await find(wishes.envFrom);
  if (envFrom) {
    const found = await containerVariables(envFrom, linked(envFrom, services), reader);
    imported = Object.fromEntries(found.variables);
    const left = Object.entries(imported).filter(([name, value]) => isContainerOnly(name, value));
    for (const [name] of left) delete imported[name];
    remarks.push(...found.remarks);
    if (left.length > 0) {
      const names = left.map(([name]) => name).join(", ");
      remarks.push(`Left out, because they are about the container itself: ${names}. Set what you need by --set`);
    }
  }
  let brought = merge(imported, Object.fromEntries(wishes.envFile));
  if (wishes.rewrite && reach) brought = rewriteVariables(brought, listenerOf(reach));
  const files: Record<string, string> = {};
  const filesFrom = reader && wishes.filesFrom && await find(wishes.filesFrom);
  await sweep(deps);
  if (filesFrom) {
    const own = envFrom === filesFrom ? new Map(Object.entries(imported)) : undefined;
    const known = own ?? (await containerVariables(filesFrom, {}, reader)).variables;
    const found = await containerFiles(filesFrom, known, reader);
    remarks.push(...found.remarks);
    const tree = opened.use(await PrivateTree.write(found.files, await treeDeps(deps)));
    files.HAWSER_FILES = tree.root;
    const count = found.files.size;
    remarks.push(
      count === 0
        ? `Container "${filesFrom.container.name}" has no files from ConfigMaps or Secrets`
        : `${count === 1 ? "One file is" : `${count} files are`} in "${tree.root}", under ${
          folders(found.files.keys()).join(", ")
        }; HAWSER_FILES names it`,
    );
  }
  const linkedServices = envFrom ? linked(envFrom, services) : services;
  const switches = wishes.noRegister ? noRegistration : {};
  const variables = merge(linkedServices, brought, files, switches, Object.fromEntries(wishes.set));
  if (!wishes.noRegister) {
    const likely = wishes.envFrom || /^(java|javaw|mvn|mvnw|mvnd|gradle|gradlew)(\.\w+)?$/i.test(basename(program));
    const names = likely && reach ? namesIn(reach) : [];
    const own = Object.fromEntries(
      Object.entries({ ...env, ...brought }).filter(([name]) => !(name in linkedServices)),
    );
    const registries = findRegistries(own, names);
    if (registries.length > 0) {
      remarks.push(
        `There is ${
          registries.join(", ")
        }: a program that registers itself there gives this machine's address, which the cluster cannot reach; --no-register keeps it from that`,
      );
    }
  }
  const everything = opened.move();
  return { variables, remarks, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}

/** Finds each container once, as both flags often name the same. */
function finder(reach: WorkloadReach | undefined, signal: AbortSignal) {
  const found = new Map<string, Promise<FoundContainer>>();
  return (name: ContainerName): Promise<FoundContainer> | undefined => {
    if (!reach) return undefined;
    const key = JSON.stringify(name);
    const finding = found.get(key) ?? findContainer(reach.api, name, reach.directory.namespace, signal);
    found.set(key, finding);
    return finding;
  };
}

function namesIn({ directory }: WorkloadReach): readonly string[] {
  return directory.services().filter(({ namespace }) => namespace === directory.namespace).map(({ name }) => name);
}

/** The variables of the namespace's services, with the addresses of their local ports. */
function localServices({ directory, listeners }: WorkloadReach): Record<string, string> {
  const find = listenerFinder(listeners());
  const inNamespace = directory.services().filter(({ namespace }) => namespace === directory.namespace);
  return serviceVariables(
    inNamespace,
    (service, { port, protocol }) => protocol === "TCP" ? find(service, port) : undefined,
  );
}

/** None where the pod wants none. */
function linked(
  { spec }: FoundContainer,
  services: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return spec.enableServiceLinks === false ? {} : services;
}

/** By any name of a service, and by its cluster addresses. Names of single pods are none of these: their ports lead to all pods alike. */
function listenerOf({ directory, listeners }: WorkloadReach): ListenerOf {
  const { namespace, zone } = directory;
  const find = listenerFinder(listeners());
  const byAddress = new Map(directory.services().flatMap((each) => each.clusterIPs.map((ip) => [ip, each] as const)));
  return (host, port) => {
    const name = parseClusterName(host, { namespace, zone });
    if (name.kind === "foreign") return undefined;
    if (name.kind === "address") {
      const service = byAddress.get(canonicalAddress(name.address));
      return service && find(service, port);
    }
    for (const each of name.candidates) {
      const found = each.kind === "service" && find({ namespace: each.namespace, name: each.service }, port);
      if (found) return found;
    }
  };
}

function listenerFinder(listeners: readonly ServiceListener[]) {
  const all = new Map(
    listeners.map(({ namespace, service, port, address, localPort }) =>
      [`${namespace}/${service}:${port}`, { host: address, port: localPort }] as const
    ),
  );
  return ({ namespace, name }: Pick<Service, "namespace" | "name">, port: number) =>
    all.get(`${namespace}/${name}:${port}`);
}

async function treeDeps({ os, paths }: Pick<CliDeps, "os" | "paths">) {
  const state = () => paths().state;
  return { folder: join(state(), "files"), os, local: await LocalProcess.open({ os, state }) };
}

/** What hawsers that were killed have left is removed at the next start. */
async function sweep(deps: Pick<CliDeps, "os" | "paths">): Promise<void> {
  try {
    await PrivateTree.sweep(await treeDeps(deps));
  } catch {
    // without a home there is nothing to sweep
  }
}

/** The folders right above files, each once. */
function folders(paths: Iterable<string>): readonly string[] {
  return [...new Set([...paths].map((path) => path.slice(0, path.lastIndexOf("/")) || "/"))].sort();
}
