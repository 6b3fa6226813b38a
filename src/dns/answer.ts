import { isIP } from "node:net";
import { Packet } from "dns2";
import { type NameCandidate, parseClusterName } from "../cluster/cluster_name.ts";
import { formatDashedAddress, parseDashedAddress } from "../cluster/dashed_address.ts";
import type { Directory, Service } from "../cluster/directory.ts";
import type { Question } from "./query.ts";
import type { DnsRecord } from "./record.ts";
import { emptyResponse, type Response } from "./response.ts";
import { parseReverseName } from "./reverse_name.ts";

/** How questions are answered. */
export interface AnswerOptions {
  /** Serial of the zone for its SOA record, 32 bits. */
  readonly serial: number;
  /** Whether names that the cluster does not have can be asked for elsewhere. */
  readonly forwards: boolean;
  /**
   * The loopback address on which the tool listens for a service, with the service's own ports; such a service is answered as if this
   * were its only cluster IP. Undefined for the others, which are answered with their real addresses.
   */
  localAddress(service: Service): string | undefined;
  /** Addresses (with the CNAME records on the way) of a name outside the cluster; none where they cannot be had. */
  resolve(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<readonly DnsRecord[]>;
}

/**
 * Answers a question about the cluster by the Kubernetes DNS specification 1.1.0, with CoreDNS's choices where that leaves any:
 * headless services without ready endpoints do not exist, endpoint names work for services of all kinds, `pod` names echo their
 * address where the namespace exists, and an ExternalName that leads nowhere in the cluster has no data. Short names mean what they
 * mean in a pod of the directory's namespace, and are answered under the name asked.
 *
 * Different from CoreDNS on purpose: ANY gives addresses (Java 8 asks so), what exists has no data of other types rather than being
 * unknown (CoreDNS says NXDOMAIN to TXT for a namespace, and to all but TXT for `dns-version`), and port names need the underscores
 * of RFC 2782.
 *
 * Undefined where the question is none of the cluster's business. Rejects when the directory cannot say.
 */
export async function answer(
  question: Question,
  directory: Directory,
  options: AnswerOptions,
  signal: AbortSignal,
): Promise<Response | undefined> {
  if (question.class !== Packet.CLASS.IN) return undefined;
  const context = { directory, options, signal };
  const address = parseReverseName(question.name);
  const found = address === undefined
    ? await findName(question.name, question.type, context, [])
    : await findAddress(address, question, directory, signal);
  const zone = zoneOf(question.name, directory.zone);
  switch (found.kind) {
    case "foreign":
      return undefined;
    case "forbidden":
      return emptyResponse("REFUSED", { code: "PROHIBITED", text: found.message });
    case "missing":
      // A pod's resolver asks for a short name as it stands once its search list had nothing.
      if (zone === undefined && address === undefined && options.forwards) return undefined;
      return {
        ...emptyResponse("NXDOMAIN", { code: "OTHER", text: found.message }),
        authoritative: true,
        authorities: startOfAuthority(zone, options),
      };
    case "records": {
      const { answers, additionals } = found;
      const authorities = answers.length === 0 ? startOfAuthority(zone, options) : [];
      return { ...emptyResponse("NOERROR"), authoritative: true, answers, additionals, authorities };
    }
  }
}

type Found =
  /** The name exists; no answers mean no data of the type asked for. */
  | { readonly kind: "records"; readonly answers: readonly DnsRecord[]; readonly additionals: readonly DnsRecord[] }
  | { readonly kind: "missing" | "forbidden"; readonly message: string }
  | { readonly kind: "foreign" };

interface Context {
  readonly directory: Directory;
  readonly options: AnswerOptions;
  readonly signal: AbortSignal;
}

/** Where a service can be reached: one line of its SRV records. Port 0 stands for none. */
interface Place {
  readonly address: string;
  readonly port: number;
  /** The name of the address. */
  readonly target: string;
}

type PortCandidate = NameCandidate & { readonly kind: "port" };

/** Seconds. Changes in the cluster show here at once, so programs should not sit on what they were told; CoreDNS's default too. */
const ttl = 5;
/** ExternalName services that lead to each other. */
const longestChain = 10;
const foreign: Found = { kind: "foreign" };
const noData: Found = { kind: "records", answers: [], additionals: [] };

/** `chain` holds the names whose CNAME records led here. */
async function findName(name: string, type: number, context: Context, chain: readonly string[]): Promise<Found> {
  const { directory, signal } = context;
  const parsed = parseClusterName(name, directory);
  if (parsed.kind !== "name") return foreign;
  if (name.toLowerCase() === `dns-version.${directory.zone}`) {
    return records(type === Packet.TYPE.TXT ? [{ name, ttl, type: "TXT", data: ["1.1.0"] }] : []);
  }
  if (type === Packet.TYPE.SOA && name.toLowerCase() === directory.zone) {
    return records(startOfAuthority(name, context.options));
  }
  const { candidates } = parsed;
  if (candidates.length === 0) {
    return { kind: "missing", message: `"${name}" has none of the forms of names in a cluster` };
  }
  const pod = candidates.find((candidate) => candidate.kind === "pod");
  if (pod) {
    const namespace = await directory.lookup(`${pod.namespace}.svc.${directory.zone}`, signal);
    return namespace.kind === "missing" ? namespace : records(addressRecords(name, type, [pod.address]));
  }
  const port = candidates.find((candidate) => candidate.kind === "port");
  const host = port ? name.split(".").slice(2).join(".") : name;
  const found = await directory.lookup(host, signal);
  switch (found.kind) {
    case "service":
      return await findService(name, type, found.service, { port }, context, chain);
    case "endpoint":
      if (port) return { kind: "missing", message: `"${host}" is an endpoint, and only services have named ports` };
      return await findService(name, type, found.service, { hostname: firstLabel(name) }, context, chain);
    case "empty":
      return port ? { kind: "missing", message: `"${host}" is no service` } : noData;
    case "missing":
    case "forbidden":
      return found;
    case "pod":
    case "foreign":
      return foreign;
  }
}

/** Which part of a service is asked for: all, the endpoint with a host name, or a named port. */
interface Part {
  /** Lower case. */
  readonly hostname?: string;
  readonly port?: PortCandidate | undefined;
}

async function findService(
  name: string,
  type: number,
  service: Service,
  part: Part,
  context: Context,
  chain: readonly string[],
): Promise<Found> {
  const local = part.hostname === undefined ? context.options.localAddress(service) : undefined;
  if (service.kind === "ExternalName" && local === undefined) {
    // As CoreDNS has it: an address is no name, and there are no ports or endpoints to name.
    if (part.hostname !== undefined || part.port || isIP(service.externalName) !== 0) {
      return missing(name, service, "it is an ExternalName");
    }
    return records(await followExternalName(name, type, service.externalName, context, chain));
  }
  const places = local !== undefined
    ? clusterPlaces(service, [local], part, context.directory)
    : service.kind === "Headless" || part.hostname !== undefined
    ? await endpointPlaces(service, part, context)
    : clusterPlaces(service, service.clusterIPs, part, context.directory);
  if (places.length === 0) {
    return missing(name, service, part.port ? "it has no such port" : "it has no such ready endpoint");
  }
  if (type === Packet.TYPE.SRV) return serviceRecords(name, places);
  return records(addressRecords(name, type, places.map(({ address }) => address)));
}

function clusterPlaces(
  service: Service,
  addresses: readonly string[],
  { port }: Part,
  directory: Directory,
): Place[] {
  const target = fullName(service, directory);
  const ports = service.ports.length > 0 || port ? service.ports : [{ name: "", port: 0, protocol: "" }];
  return ports.filter((own) => matches(own, port))
    .flatMap((own) => addresses.map((address) => ({ address, port: own.port, target })));
}

async function endpointPlaces(
  service: Service,
  { hostname, port }: Part,
  { directory, signal }: Context,
): Promise<Place[]> {
  const places: Place[] = [];
  for (const endpoint of await directory.endpoints(service, signal)) {
    if (!endpoint.ready) continue;
    const ports = endpoint.ports.length > 0 || port ? endpoint.ports : [{ name: "", port: 0, protocol: "" }];
    for (const address of endpoint.addresses) {
      const own = endpoint.hostname || formatDashedAddress(address);
      if (hostname !== undefined && hostname !== own) {
        if (endpoint.hostname || parseDashedAddress(hostname) !== address) continue;
      }
      const target = `${own}.${fullName(service, directory)}`;
      for (const { port: number } of ports.filter((one) => matches(one, port))) {
        places.push({ address, port: number, target });
      }
    }
  }
  return places;
}

function matches(own: { readonly name: string; readonly protocol: string }, asked: PortCandidate | undefined): boolean {
  return asked === undefined || own.name === asked.port && own.protocol === asked.protocol;
}

/** One SRV record each for different targets and ports, equally likely; the targets' addresses beside them. */
function serviceRecords(name: string, places: readonly Place[]): Found {
  const weight = Math.max(1, Math.floor(100 / places.length));
  const answers = new Map<string, DnsRecord>();
  const additionals = new Map<string, DnsRecord>();
  for (const { address, port, target } of places) {
    if (port === 0) continue;
    answers.set(`${target} ${port}`, { name, ttl, type: "SRV", priority: 0, weight, port, target });
    additionals.set(`${target} ${address}`, { name: target, ttl, type: addressType(address), address });
  }
  return { kind: "records", answers: [...answers.values()], additionals: [...additionals.values()] };
}

async function followExternalName(
  name: string,
  type: number,
  target: string,
  context: Context,
  chain: readonly string[],
): Promise<DnsRecord[]> {
  const alias: DnsRecord = { name, ttl, type: "CNAME", domain: target };
  if (type === Packet.TYPE.CNAME) return [alias];
  const inside = zoneOf(target, context.directory.zone) !== undefined;
  const visited = [...chain, name.toLowerCase()];
  if (inside && (visited.length > longestChain || visited.includes(target))) return [];
  const rest: DnsRecord[] = [];
  for (const wanted of addressTypes(type)) {
    const more = inside
      ? answersOf(await findName(target, Packet.TYPE[wanted], context, visited))
      : await context.options.resolve(target, wanted, context.signal);
    // ANY passes the same aliases twice.
    rest.push(...more.filter(({ name, type }) => type !== "CNAME" || !rest.some((had) => had.name === name)));
  }
  const leads = rest.length > 0 || !inside && addressTypes(type).length > 0;
  return leads ? [alias, ...rest] : [];
}

function answersOf(found: Found): readonly DnsRecord[] {
  return found.kind === "records" ? found.answers : [];
}

/** What an address of the cluster is called: the service whose cluster IP it is, else the ready endpoints that have it. */
async function findAddress(
  address: string,
  { name, type }: Question,
  directory: Directory,
  signal: AbortSignal,
): Promise<Found> {
  const found = await directory.lookup(address, signal);
  const names = new Set<string>();
  if (found.kind === "service") {
    names.add(fullName(found.service, directory));
  } else {
    for (const service of directory.services()) {
      if (service.kind === "ExternalName") continue;
      for (const endpoint of await directory.endpoints(service, signal)) {
        if (!endpoint.ready || !endpoint.addresses.includes(address)) continue;
        names.add(`${endpoint.hostname || formatDashedAddress(address)}.${fullName(service, directory)}`);
      }
    }
  }
  if (names.size > 0) {
    const wanted = type === Packet.TYPE.PTR || type === Packet.TYPE.ANY;
    return records(wanted ? [...names].map((domain) => ({ name, ttl, type: "PTR", domain })) : []);
  }
  if (found.kind === "pod") return { kind: "missing", message: `no service has the pod "${found.pod.name}" ready` };
  return found.kind === "missing" || found.kind === "forbidden" ? found : foreign;
}

function records(answers: readonly DnsRecord[]): Found {
  return { kind: "records", answers, additionals: [] };
}

function missing(name: string, service: Service, reason: string): Found {
  const message = `no "${name}" at service "${service.name}" in namespace "${service.namespace}": ${reason}`;
  return { kind: "missing", message };
}

function addressRecords(name: string, type: number, addresses: readonly string[]): DnsRecord[] {
  const types = addressTypes(type);
  return [...new Set(addresses)]
    .filter((address) => types.includes(addressType(address)))
    .map((address) => ({ name, ttl, type: addressType(address), address }));
}

function addressTypes(type: number): ("A" | "AAAA")[] {
  switch (type) {
    case Packet.TYPE.A:
      return ["A"];
    case Packet.TYPE.AAAA:
      return ["AAAA"];
    case Packet.TYPE.ANY:
      return ["A", "AAAA"];
    default:
      return [];
  }
}

function addressType(address: string): "A" | "AAAA" {
  return isIP(address) === 4 ? "A" : "AAAA";
}

function fullName({ name, namespace }: Service, { zone }: Directory): string {
  return `${name}.${namespace}.svc.${zone}`;
}

function firstLabel(name: string): string {
  return name.slice(0, name.indexOf(".")).toLowerCase();
}

/** The part of `name` that is the cluster's zone, in the case asked; undefined where it is not under it. */
function zoneOf(name: string, zone: string): string | undefined {
  const lower = name.toLowerCase();
  return lower === zone || lower.endsWith(`.${zone}`) ? name.slice(-zone.length) : undefined;
}

/** Goes with each negative answer under the zone and bounds how long it is kept (RFC 2308). */
function startOfAuthority(zone: string | undefined, { serial }: AnswerOptions): DnsRecord[] {
  if (zone === undefined) return [];
  return [{
    name: zone,
    ttl,
    type: "SOA",
    primary: `ns.dns.${zone}`,
    admin: `hostmaster.${zone}`,
    serial,
    refresh: 7200,
    retry: 1800,
    expiration: 86400,
    minimum: ttl,
  }];
}
