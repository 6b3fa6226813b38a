import type { SparingWarnings } from "../platform/sparing_warnings.ts";
import { type Dialer, type Target, targetName } from "../tunnel/dialer.ts";
import { type LocalPort, openLocalPort } from "./local_port.ts";

/** What the ports work with. */
export interface TargetPortsDeps {
  readonly dialer: Dialer;
  /** Told why connections and ports cannot be had: hooks see no reason. */
  readonly warnings: Pick<SparingWarnings, "warn">;
  readonly openPort?: typeof openLocalPort;
}

/** So many destinations have a port of their own; more than any program speaks to in a day. */
const limit = 4096;

/** Ports of 127.0.0.1 that lead to destinations of the cluster, opened when they are first asked for, and good until all are closed. */
export class TargetPorts {
  readonly #deps: TargetPortsDeps;
  readonly #ports = new Map<string, Promise<LocalPort>>();
  #closed = false;

  constructor(deps: TargetPortsDeps) {
    this.#deps = deps;
  }

  /** The port for a destination; undefined where there are too many. Rejects with the system's error where none can be had. */
  async portFor(target: Target): Promise<number | undefined> {
    const key = targetName(target);
    let opening = this.#ports.get(key);
    if (!opening) {
      if (this.#closed) return undefined;
      if (this.#ports.size >= limit) return void this.#deps.warnings.warn("ports", tooMany(key));
      opening = this.#open(target);
      this.#ports.set(key, opening);
      opening.catch(() => this.#ports.delete(key));
    }
    return (await opening).port;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#ports.values());
    await Promise.all(opened.map((each) => each.status === "fulfilled" && each.value.close()));
  }

  #open(target: Target): Promise<LocalPort> {
    const { dialer, warnings, openPort = openLocalPort } = this.#deps;
    return openPort({ host: "127.0.0.1", port: 0 }, {
      dial: (client, signal) => dialer.dial(target, { signal, client, early: true }),
      onFailure: (error) => warnings.warn(targetName(target), error.message),
    });
  }
}

function tooMany(another: string): string {
  return `Programs have asked for ${limit} destinations, which is all that a session has ports for: hooks cannot lead to ${another} before hawser is started again`;
}
