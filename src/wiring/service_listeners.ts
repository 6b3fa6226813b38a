import type { Directory, Service } from "../cluster/directory.ts";
import { fnv1a } from "../platform/fnv1a.ts";
import type { Log } from "../platform/log.ts";
import { readFileIfAny, writePrivateFile } from "../platform/private_file.ts";
import type { SparingWarnings } from "../platform/sparing_warnings.ts";
import type { Dialer, Target } from "../tunnel/dialer.ts";
import { type LocalPort, openLocalPort } from "./local_port.ts";

/** A local port that stands for one port of a service. */
export interface ServiceListener {
  readonly namespace: string;
  readonly service: string;
  /** The service's port. */
  readonly port: number;
  /** Where it is on this machine. */
  readonly address: string;
  readonly localPort: number;
}

/** What the listeners work with. */
export interface ServiceListenersDeps {
  readonly directory: Pick<Directory, "services" | "onChange">;
  readonly dialer: Dialer;
  readonly log: Log;
  /** Told why connections cannot be had. */
  readonly warnings: Pick<SparingWarnings, "warn">;
  /** Kubeconfig context; keeps the addresses of two clusters apart. */
  readonly context: string;
  /** Where the ports of last time are kept, so that they are the same next time. */
  readonly cacheFile: string;
  /** Told after each change of {@linkcode ServiceListeners.list}. */
  readonly onChange?: () => void;
  readonly openPort?: typeof openLocalPort;
}

/** Local ports for every TCP port of every service in the directory. */
export interface ServiceListeners {
  /** What is open now, by namespace, service and port. */
  list(): readonly ServiceListener[];
  /** The address on which all ports of a service listen under their real numbers; undefined where not all could be had. */
  addressOf(service: Service): string | undefined;
  /** What one of our addresses and ports stands for. */
  targetOf(target: Target): Target | undefined;
  close(): Promise<void>;
}

const firstPort = 20_000;
const portCount = 10_000; // below every system's ephemeral ports
const portAttempts = 16;

/**
 * Opens a port for each service port and follows services as they come and go. Each service has an address of its own, 127.77.x.y, made from
 * its name, with the real port numbers. Where the system refuses a port (Linux keeps those below 1024 to root; somebody is there already) it gets a number
 * that stays the same from run to run as long as it is free; where it refuses the address (macOS knows only 127.0.0.1), all are on 127.0.0.1 in that way.
 */
export async function openServiceListeners(deps: ServiceListenersDeps): Promise<ServiceListeners> {
  const listeners = new Listeners(deps, await readPorts(deps.cacheFile));
  await listeners.follow();
  return listeners;
}

interface Opened {
  readonly listener: ServiceListener;
  readonly local: LocalPort;
}

class Listeners implements ServiceListeners {
  readonly #deps: ServiceListenersDeps;
  /** By `namespace/service:port`. */
  readonly #opened = new Map<string, Opened>();
  /** Address by `namespace/service`. */
  readonly #addresses = new Map<string, string>();
  /** Port by `context/namespace/service:port`, from this run and earlier ones. */
  readonly #ports: Map<string, number>;
  readonly #stopWatching: () => void;
  #work: Promise<void> = Promise.resolve();
  #closed = false;
  #noOwnAddresses = false;

  constructor(deps: ServiceListenersDeps, ports: Map<string, number>) {
    this.#deps = deps;
    this.#ports = ports;
    this.#stopWatching = deps.directory.onChange(() => void this.follow());
  }

  list(): readonly ServiceListener[] {
    return [...this.#opened].sort(([a], [b]) => a < b ? -1 : 1).map(([, { listener }]) => listener);
  }

  addressOf(service: Service): string | undefined {
    const address = this.#addresses.get(nameOf(service));
    const all = tcpPorts(service).every((port) => {
      const found = this.#opened.get(`${nameOf(service)}:${port}`)?.listener;
      return found !== undefined && found.address === address && found.localPort === port;
    });
    return all ? address : undefined;
  }

  targetOf({ host, port }: Target): Target | undefined {
    for (const { listener } of this.#opened.values()) {
      if (listener.address !== host || listener.localPort !== port) continue;
      return { host: `${listener.service}.${listener.namespace}`, port: listener.port };
    }
  }

  /** Brings the open ports in line with the directory; one pass at a time. */
  follow(): Promise<void> {
    return this.#work = this.#work.then(() => this.#closed ? undefined : this.#reconcile());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    await this.#work;
    await Promise.all([...this.#opened.values()].map(({ local }) => local.close()));
    this.#opened.clear();
  }

  async #reconcile(): Promise<void> {
    const wanted = new Map<string, { readonly service: Service; readonly port: number }>(
      this.#deps.directory.services().flatMap((service) =>
        service.own ? [] : tcpPorts(service).map((port) => [`${nameOf(service)}:${port}`, { service, port }] as const)
      ),
    );
    let changed = false;
    for (const [key, { local }] of [...this.#opened]) {
      if (wanted.has(key)) continue;
      this.#opened.delete(key);
      changed = true;
      await local.close();
    }
    const known = this.#ports.size;
    for (const [key, { service, port }] of wanted) {
      if (this.#opened.has(key)) continue;
      const opened = await this.#open(service, port);
      if (!opened) continue;
      this.#opened.set(key, opened);
      changed = true;
    }
    if (this.#ports.size > known) await this.#remember();
    if (changed) this.#deps.onChange?.();
  }

  async #open(service: Service, port: number): Promise<Opened | undefined> {
    const made = (local: LocalPort): Opened => ({
      listener: {
        namespace: service.namespace,
        service: service.name,
        port,
        address: local.host,
        localPort: local.port,
      },
      local,
    });
    if (!this.#noOwnAddresses) {
      const local = await this.#listen(service, port, this.#addressFor(service), port);
      if (typeof local !== "string") return made(local);
      this.#noOwnAddresses = local === "EADDRNOTAVAIL";
    }
    const key = `${this.#deps.context}/${nameOf(service)}:${port}`;
    const start = this.#ports.get(key) ?? firstPort + fnv1a(key) % portCount;
    // With all of its ports on one address, a service can be named by a host and several ports.
    for (const host of this.#noOwnAddresses ? ["127.0.0.1"] : [this.#addressFor(service), "127.0.0.1"]) {
      for (let attempt = 0; attempt < portAttempts; attempt++) {
        const candidate = firstPort + (start - firstPort + attempt) % portCount;
        const local = await this.#listen(service, port, host, candidate);
        if (typeof local === "string") continue;
        this.#ports.set(key, candidate);
        return made(local);
      }
    }
    this.#deps.log.warn(
      `No local port can be had for service "${service.name}" in namespace "${service.namespace}", port ${port}`,
    );
  }

  /** Resolves with the open port, or the system's word for why not. */
  async #listen(service: Service, port: number, host: string, localPort: number): Promise<LocalPort | string> {
    const { dialer, warnings, openPort = openLocalPort } = this.#deps;
    const target = { host: `${service.name}.${service.namespace}`, port };
    const about = `${target.host}:${port}`;
    try {
      return await openPort({ host, port: localPort }, {
        dial: (client, signal) => dialer.dial(target, { signal, client, early: true }),
        onFailure: (error) => warnings.warn(about, `${about}: ${error.message}`),
      });
    } catch (error) {
      return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "EUNKNOWN";
    }
  }

  /** 127.77.x.y from the names, past those that another service has; x.y is never .0 or .255. */
  #addressFor(service: Service): string {
    const name = nameOf(service);
    const taken = new Set(this.#addresses.values());
    let address = this.#addresses.get(name);
    for (let at = fnv1a(`${this.#deps.context}/${name}`); address === undefined; at++) {
      const candidate = `127.77.${Math.floor(at / 254) % 256}.${at % 254 + 1}`;
      if (!taken.has(candidate)) address = candidate;
    }
    this.#addresses.set(name, address);
    return address;
  }

  async #remember(): Promise<void> {
    try {
      const others = await readPorts(this.#deps.cacheFile); // another session may have written since
      await writePrivateFile(this.#deps.cacheFile, JSON.stringify(Object.fromEntries([...others, ...this.#ports])));
    } catch (error) {
      this.#deps.log.debug(`ports are not remembered: ${error instanceof Error ? error.message : error}`);
    }
  }
}

function nameOf({ namespace, name }: Service): string {
  return `${namespace}/${name}`;
}

function tcpPorts(service: Service): number[] {
  return service.ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
}

/** The remembered ports; what is no port is forgotten. */
async function readPorts(path: string): Promise<Map<string, number>> {
  try {
    const value: unknown = JSON.parse(await readFileIfAny(path) ?? "{}");
    if (typeof value !== "object" || value === null) return new Map();
    return new Map(
      Object.entries(value).filter(([, port]) =>
        Number.isInteger(port) && port >= firstPort && port < firstPort + portCount
      ),
    );
  } catch {
    return new Map(); // a cache: beginning anew is no loss
  }
}
