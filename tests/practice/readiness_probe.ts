import type { RealAddress } from "./network.ts";
import type { ProbeSpec } from "./pod_object.ts";

/** What a {@linkcode ReadinessProbe} is told and tells. */
export interface ReadinessProbeDeps {
  /** The pod's address as the cluster shows it. */
  readonly ip: string;
  /** The number of a port that is named, or itself. */
  readonly port: (port: number | string) => number;
  /** The real socket for a port of the pod. */
  readonly real: (port: number) => RealAddress | undefined;
  readonly onChange: (ready: boolean) => void;
  /** Told each time it fails, in the kubelet's words. */
  readonly onFailure: (message: string) => void;
}

/** Shortest period, in milliseconds. */
const shortestPeriod = 100;

/** Asks a container again and again whether it serves, as the kubelet does: `httpGet` or `tcpSocket`. */
export class ReadinessProbe {
  readonly #spec: ProbeSpec;
  readonly #deps: ReadinessProbeDeps;
  readonly #stopped = new AbortController();
  #ready = false;
  /** How often in a row it has said the opposite of `#ready`. */
  #against = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> | undefined;

  constructor(spec: ProbeSpec, deps: ReadinessProbeDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#timer = setTimeout(() => this.#look(), (spec.initialDelaySeconds ?? 0) * 1000);
  }

  /** Looks at once, unless the initial delay still runs: something has begun to listen. */
  soon(): void {
    if (this.#spec.initialDelaySeconds || this.#looking || this.#stopped.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), 10); // it has yet to do what it has announced
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #look(): void {
    this.#looking = this.#ask().then((failure) => {
      this.#looking = undefined;
      if (this.#stopped.signal.aborted) return;
      const period = Math.max((this.#spec.periodSeconds ?? 10) * 1000, shortestPeriod);
      this.#timer = setTimeout(() => this.#look(), period);
      if (failure !== undefined) this.#deps.onFailure(`Readiness probe failed: ${failure}`);
      this.#against = (failure === undefined) === this.#ready ? 0 : this.#against + 1;
      const enough = this.#ready ? this.#spec.failureThreshold ?? 3 : this.#spec.successThreshold ?? 1;
      if (this.#against < enough) return;
      this.#against = 0;
      this.#ready = !this.#ready;
      this.#deps.onChange(this.#ready);
    });
  }

  /** Resolves with what is wrong, undefined for nothing. */
  async #ask(): Promise<string | undefined> {
    const { httpGet, tcpSocket, timeoutSeconds = 1 } = this.#spec;
    const port = this.#deps.port((httpGet ?? tcpSocket)?.port ?? 0);
    const authority = `${this.#deps.ip}:${port}`;
    const url = `http://${authority}${httpGet?.path ?? "/"}`;
    const failed = (why: string) => httpGet ? `Get "${url}": ${why}` : why;
    const real = this.#deps.real(port);
    const refused = failed(`dial tcp ${authority}: connect: connection refused`);
    if (!real) return refused;
    const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
    const signal = AbortSignal.any([timeout, this.#stopped.signal]);
    try {
      using connection = await Deno.connect(real);
      if (!httpGet) return undefined;
      const close = () => connection.close();
      signal.addEventListener("abort", close, { once: true });
      try {
        const headers = Object.entries({
          "Host": authority,
          "User-Agent": "kube-probe/practice",
          "Accept": "*/*",
          "Connection": "close",
          ...Object.fromEntries((httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value])),
        }).map(([name, value]) => `${name}: ${value}\r\n`);
        const request = `GET ${httpGet.path ?? "/"} HTTP/1.1\r\n${headers.join("")}\r\n`;
        await connection.write(new TextEncoder().encode(request));
        const status = await readStatus(connection);
        return status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`;
      } finally {
        signal.removeEventListener("abort", close);
      }
    } catch (error) {
      if (timeout.aborted) {
        return failed("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
      }
      return error instanceof Deno.errors.ConnectionRefused ? refused : failed("EOF");
    }
  }
}

async function readStatus(connection: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(64);
  let text = "";
  while (text.length < 12) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (!status) throw new Error("not HTTP");
  return Number(status);
}
