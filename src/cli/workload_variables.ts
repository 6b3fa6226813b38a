import { basename, join } from "node:path";
import type { Api } from "../cluster/api.ts";
import { canonicalAddress } from "../cluster/canonical_address.ts";
import { parseClusterName } from "../cluster/cluster_name.ts";
import { ConfigReader } from "../cluster/config_reader.ts";
import { containerFiles } from "../cluster/container_files.ts";
import { containerVariables } from "../cluster/container_variables.ts";
import type { Directory, Service } from "../cluster/directory.ts";
import { type ContainerName, findContainer, type FoundContainer } from "../cluster/find_container.ts";
import { Losses } from "../cluster/losses.ts";
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

type Variables = Readonly<Record<string, string>>;

/** What of a connection is asked for a container and the ways to services. */
export interface WorkloadReach {
  readonly api: Api;
  readonly directory: Pick<Directory, "namespace" | "zone" | "services">;
  listeners(): readonly ServiceListener[];
  /** The program's network leads to the cluster itself: its addresses are good as they are. */
  readonly isolated: boolean;
}

/** What a program gets of its container. */
export interface WorkloadVariables extends AsyncDisposable {
  /** To be set over the user's own environment. */
  readonly variables: Variables;
  /** What is missing, left out or worth knowing: whole sentences without a period, never a value. */
  readonly remarks: readonly string[];
}

/**
 * The variables that the flags of a workload ask for: those of services and of the container, then of files, then the switches against registration, then `--set`; the
 * later one wins. Disposing of them removes what was written. `reach` is undefined where another process holds the session: `--env-from`, `--files-from` and
 * `--rewrite-env` then do nothing. Rejects with errors whose messages are for people.
 */
export async function workloadVariables(
  wishes: WorkloadWishes,
  program: string,
  reach: WorkloadReach | undefined,
  deps: Pick<CliDeps, "env" | "os" | "paths">,
  signal: AbortSignal,
): Promise<WorkloadVariables> {
  const remarks: string[] = [];
  const merge = (...layers: readonly Variables[]) =>
    layers.reduce<Record<string, string>>((before, layer) => withVariables(before, layer, deps.os), {});
  const losses = new Losses(reach?.directory.namespace ?? "");
  const reader = reach && new ConfigReader(reach.api, reach.directory.namespace, signal);
  const find = (name: ContainerName | undefined) =>
    reach && name && findContainer(reach.api, name, reach.directory.namespace, signal);

  const envFrom = await find(wishes.envFrom);
  const linked = envFrom ? envFrom.spec.enableServiceLinks !== false : wishes.rewrite;
  const services = reach && linked ? reachableServices(reach) : {};
  const imported = reader && envFrom ? await importVariables(envFrom, services, reader, losses, remarks) : {};
  const fromFiles = merge(imported, Object.fromEntries(wishes.envFile));
  const brought = reach && wishes.rewrite && !reach.isolated
    ? rewriteVariables(fromFiles, listenerOf(reach))
    : fromFiles;
  if (wishes.rewrite) remarks.push(rewriteRemark(fromFiles, brought, reach?.isolated ?? false));

  await sweep(deps);
  const filesFrom = await find(wishes.filesFrom);
  const tree = reader && filesFrom && await writeFiles(filesFrom, reader, deps, losses, remarks);
  remarks.push(...losses.sentences());

  const own = merge(brought, tree ? { HAWSER_FILES: tree.root } : {});
  const set = Object.fromEntries(wishes.set);
  if (!wishes.noRegister) {
    const likely = envFrom || /^(java|javaw|mvn|mvnw|mvnd|gradle|gradlew)(\.\w+)?$/i.test(basename(program));
    const registries = findRegistries({ ...deps.env, ...own, ...set }, likely && reach ? namesIn(reach) : []);
    if (registries.length > 0) {
      remarks.push(
        `There is ${registries.join(", ")}: a program that registers itself there gives this machine's address, ` +
          "which the cluster cannot reach; --no-register keeps it from that",
      );
    }
  }
  const switches = wishes.noRegister ? noRegistration : {};
  return {
    variables: merge(services, own, switches, set),
    remarks,
    [Symbol.asyncDispose]: () => tree?.close() ?? Promise.resolve(),
  };
}

/** What came of `--rewrite-env`, without any value. */
function rewriteRemark(before: Variables, after: Variables, isolated: boolean): string {
  if (isolated) return "--rewrite-env has nothing to do: the program's own network leads to addresses of the cluster";
  const names = Object.keys(after).filter((name) => after[name] !== before[name]);
  if (names.length === 0) return "--rewrite-env has found no address of the cluster for which there is a local port";
  return `${names.length === 1 ? "One value leads" : `${names.length} values lead`} to local ports now: ${
    names.join(", ")
  }`;
}

/** What of a container's variables means something here. */
async function importVariables(
  container: FoundContainer,
  services: Variables,
  reader: ConfigReader,
  losses: Losses,
  remarks: string[],
): Promise<Variables> {
  const found = await containerVariables(container, services, reader, losses);
  const [left = [], kept = []] = [true, false].map((only) =>
    [...found].filter(([name, value]) => isContainerOnly(name, value) === only)
  );
  // Every container has some of the last ones: the API server's address, by which libraries look for a pod's credentials.
  const names = [...left.map(([name]) => name).filter((name) => !name.startsWith("KUBERNETES_")), "KUBERNETES_*"];
  remarks.push(
    `Left out, because they are about the container itself: ${names.join(", ")}. Set what you need by --set`,
  );
  return Object.fromEntries(kept);
}

/** Writes the configuration mounted in a container, and says where. */
async function writeFiles(
  container: FoundContainer,
  reader: ConfigReader,
  deps: Pick<CliDeps, "os" | "paths">,
  losses: Losses,
  remarks: string[],
): Promise<PrivateTree> {
  // What the container's variables lack is told where they are asked for.
  const known = await containerVariables(container, {}, reader, new Losses(reader.namespace));
  const before = losses.size;
  const files = await containerFiles(container, known, reader, losses);
  const tree = await PrivateTree.write(files, await treeDeps(deps));
  const places = [...new Set([...files.keys()].map((path) => path.slice(0, path.lastIndexOf("/")) || "/"))];
  const count = files.size === 1 ? "One file is" : `${files.size} files are`;
  if (files.size > 0) {
    remarks.push(`${count} in "${tree.root}", under ${places.sort().join(", ")}; HAWSER_FILES names it`);
  } else if (losses.size === before) {
    remarks.push(`Container "${container.container.name}" has no files from ConfigMaps or Secrets`);
  }
  return tree;
}

function namesIn({ directory }: WorkloadReach): readonly string[] {
  return directory.services().filter(({ namespace }) => namespace === directory.namespace).map(({ name }) => name);
}

/** The variables of the namespace's services, with addresses that the program can reach. */
function reachableServices({ directory, listeners, isolated }: WorkloadReach): Record<string, string> {
  const find = listenerFinder(listeners());
  const inNamespace = directory.services().filter(({ namespace }) => namespace === directory.namespace);
  return serviceVariables(inNamespace, (service, { port, protocol }) => {
    const [host] = service.clusterIPs;
    if (isolated) return host === undefined ? undefined : { host, port };
    return protocol === "TCP" ? find(service, port) : undefined;
  });
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
