import { isIP } from "node:net";
import { Packet } from "dns2";
import { type NameCandidate, parseClusterName } from "../cluster/cluster_name.ts";
import { formatDashedAddress, parseDashedAddress } from "../cluster/dashed_address.ts";
import type { Directory, Lookup, Service } from "../cluster/directory.ts";
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
 * unknown (CoreDNS says NXDOMAIN to TXT for a namespace, and to all but TXT for `dns-version`), port names need the underscores of
 * RFC 2782, and pod names have no SRV records (CoreDNS gives them port 0).
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
    ? await findName(question.name, question.type, context)
    : await findAddress(address, question, directory, signal);
  const zone = zoneOf(question.name, directory.zone);
  switch (found.kind) {
    case "foreign":
      return undefined;
    case "forbidden":
      if (found.mayBeForeign && options.forwards) return undefined;
      return emptyResponse("REFUSED", { code: "PROHIBITED", text: found.message });
    case "missing":
      // A pod's resolver asks for a short name as it stands once its search list had nothing.
      if (found.mayBeForeign && options.forwards) return undefined;
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
  | { readonly kind: "missing" | "forbidden"; readonly message: string; readonly mayBeForeign?: boolean }
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

type FoundService = Lookup & { readonly kind: "service" | "endpoint" };
type PortCandidate = NameCandidate & { readonly kind: "port" };

/** Seconds. Changes in the cluster show here at once, so programs should not sit on what they were told; CoreDNS's default too. */
const ttl = 5;
const foreign: Found = { kind: "foreign" };
const noData: Found = { kind: "records", answers: [], additionals: [] };

async function findName(name: string, type: number, context: Context): Promise<Found> {
  const { directory, options, signal } = context;
  const parsed = parseClusterName(name, directory);
  if (parsed.kind !== "name") return foreign;
  const lower = name.toLowerCase();
  if (lower === `dns-version.${directory.zone}`) {
    return records(type === Packet.TYPE.TXT ? [{ name, ttl, type: "TXT", data: ["1.1.0"] }] : []);
  }
  if (lower === directory.zone && type === Packet.TYPE.SOA) return records(startOfAuthority(name, options));
  const pod = parsed.candidates.find((candidate) => candidate.kind === "pod");
  if (pod) {
    const namespace = await directory.lookup(`${pod.namespace}.svc.${directory.zone}`, signal);
    return namespace.kind === "missing" ? namespace : records(addressRecords(name, type, [pod.address]));
  }
  const port = parsed.candidates.find((candidate) => candidate.kind === "port");
  const host = port ? name.split(".").slice(2).join(".") : name;
  const found = await directory.lookup(host, signal);
  switch (found.kind) {
    case "service":
      return await findService(name, type, found, port, context);
    case "endpoint":
      if (port) return { kind: "missing", message: `"${host}" is an endpoint, and only services have named ports` };
      return await findService(name, type, found, undefined, context);
    case "empty":
      return port ? { kind: "missing", message: `"${host}" is no service` } : noData;
    case "forbidden":
      return found;
    case "missing": {
      const [alias] = found.via ?? [];
      if (!alias) return found;
      // An ExternalName that leads nowhere is there all the same.
      return port
        ? missing(name, alias, "it is an ExternalName")
        : records(type === Packet.TYPE.CNAME ? aliases(name, [alias]) : []);
    }
    case "pod":
      return records(addressRecords(name, type, found.pod.ips));
    case "foreign":
      return foreign;
  }
}

async function findService(
  name: string,
  type: number,
  found: FoundService,
  port: PortCandidate | undefined,
  context: Context,
): Promise<Found> {
  const { kind, service, via = [] } = found;
  const [asked = service] = via;
  const local = asked === service && kind === "endpoint" ? undefined : context.options.localAddress(asked);
  if (local === undefined && asked.kind === "ExternalName") {
    // As CoreDNS has it: an address is no name, and there are no ports to name.
    if (port || isIP(asked.externalName) !== 0) return missing(name, asked, "it is an ExternalName");
    return records(await followExternalName(name, type, found, context));
  }
  const places = local === undefined
    ? await placesOf(name, found, port, context)
    : clusterPlaces(asked, [local], port, context.directory);
  if (places.length === 0) {
    return missing(name, service, port ? "it has no such port" : "it has no such ready endpoint");
  }
  if (type === Packet.TYPE.SRV) return serviceRecords(name, places);
  return records(addressRecords(name, type, places.map(({ address }) => address)));
}

/** The CNAME records that lead to where an ExternalName points, and the addresses of that. */
async function followExternalName(
  name: string,
  type: number,
  found: FoundService,
  context: Context,
): Promise<DnsRecord[]> {
  const leadsOut = found.service.kind === "ExternalName";
  const services = [...found.via ?? [], ...leadsOut ? [found.service] : []];
  if (type === Packet.TYPE.CNAME) return aliases(name, services).slice(0, 1);
  const types = addressTypes(type);
  if (types.length === 0) return [];
  const target = services.at(-1)?.externalName ?? name;
  if (!leadsOut) {
    const places = await placesOf(target, found, undefined, context);
    const addresses = addressRecords(target, type, places.map(({ address }) => address));
    return addresses.length > 0 ? [...aliases(name, services), ...addresses] : [];
  }
  const outside: DnsRecord[] = [];
  for (const wanted of types) {
    const more = await context.options.resolve(target, wanted, context.signal);
    // ANY passes the same aliases twice.
    outside.push(...more.filter(({ name, type }) => type !== "CNAME" || !outside.some((had) => had.name === name)));
  }
  return [...aliases(name, services), ...outside];
}

/** The chain of CNAME records through ExternalName services, from `name` on. */
function aliases(name: string, services: readonly Service[]): DnsRecord[] {
  return services.map(({ externalName: domain }, at) => {
    return { name: services[at - 1]?.externalName ?? name, ttl, type: "CNAME", domain };
  });
}

async function placesOf(
  name: string,
  { kind, service }: FoundService,
  port: PortCandidate | undefined,
  context: Context,
): Promise<Place[]> {
  if (kind === "endpoint") return await endpointPlaces(service, name.split(".", 1)[0]?.toLowerCase(), port, context);
  if (service.kind === "Headless") return await endpointPlaces(service, undefined, port, context);
  return clusterPlaces(service, service.clusterIPs, port, context.directory);
}

function clusterPlaces(
  service: Service,
  addresses: readonly string[],
  port: PortCandidate | undefined,
  directory: Directory,
): Place[] {
  const target = fullName(service, directory);
  return matching(service.ports, port)
    .flatMap(({ port }) => addresses.map((address) => ({ address, port, target })));
}

/** Of all ready endpoints, or of those with one host name. */
async function endpointPlaces(
  service: Service,
  hostname: string | undefined,
  port: PortCandidate | undefined,
  { directory, signal }: Context,
): Promise<Place[]> {
  const places: Place[] = [];
  for (const endpoint of await directory.endpoints(service, signal)) {
    if (!endpoint.ready) continue;
    for (const address of endpoint.addresses) {
      const own = endpoint.hostname || formatDashedAddress(address);
      const dashed = endpoint.hostname === "" && hostname !== undefined ? parseDashedAddress(hostname) : undefined;
      if (hostname !== undefined && hostname !== own && dashed !== address) continue;
      const target = `${own}.${fullName(service, directory)}`;
      places.push(...matching(endpoint.ports, port).map(({ port }) => ({ address, port, target })));
    }
  }
  return places;
}

/** The ports asked for; without ports at all there is still an address. */
function matching<P extends { readonly name: string; readonly port: number; readonly protocol: string }>(
  ports: readonly P[],
  asked: PortCandidate | undefined,
): readonly (P | { readonly port: 0 })[] {
  if (asked) return ports.filter(({ name, protocol }) => name === asked.port && protocol === asked.protocol);
  return ports.length > 0 ? ports : [{ port: 0 }];
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
      // One service whose endpoints we may not read must not cost the others their names.
      const endpoints = await directory.endpoints(service, signal).catch(() => []);
      for (const endpoint of endpoints) {
        if (!endpoint.ready || !endpoint.addresses.includes(address)) continue;
        names.add(`${endpoint.hostname || formatDashedAddress(address)}.${fullName(service, directory)}`);
      }
    }
  }
  signal.throwIfAborted();
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
