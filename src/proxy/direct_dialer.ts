import { type Clock, systemClock } from "../platform/clock.ts";
import type { ProxiedScheme, ProxySetting, ProxySettings } from "../platform/proxy_settings.ts";
import { connectTcp } from "../stream/connect_tcp.ts";
import { connectUdp } from "../stream/connect_udp.ts";
import type { Duplex } from "../stream/duplex.ts";
import { connectThroughProxy, ProxyConnectError, type ProxyConnectErrorKind } from "../stream/proxy_connect.ts";
import { openTls } from "../stream/tls_stream.ts";
import { type Dialer, DialError, type DialErrorKind, type DialOptions, type Target } from "../tunnel/dialer.ts";
import type { Route } from "./route.ts";

/** What the direct dialer needs. */
export interface DirectDialerDeps {
  /** The user's own proxy settings, read before hawser sets any. */
  readonly settings: ProxySettings;
  /** Whether a proxy is hawser itself, as after `eval "$(hawser env)"` in the shell that starts the next one; such a setting counts as none. */
  readonly isOurs?: (proxy: ProxySetting) => boolean;
  readonly connect?: (host: string, port: number, signal: AbortSignal) => Promise<Duplex>;
  readonly clock?: Clock;
}

/** Milliseconds for a connection to stand. */
const patience = 20_000;

/** Reaches what is not the cluster's as the user's programs would have without hawser: through the user's own proxies, or directly. */
export class DirectDialer implements Dialer {
  readonly #settings: ProxySettings;
  readonly #isOurs: (proxy: ProxySetting) => boolean;
  readonly #connect: (host: string, port: number, signal: AbortSignal) => Promise<Duplex>;
  readonly #clock: Clock;

  constructor(deps: DirectDialerDeps) {
    this.#settings = deps.settings;
    this.#isOurs = deps.isOurs ?? (() => false);
    this.#connect = deps.connect ?? connectTcp;
    this.#clock = deps.clock ?? systemClock;
  }

  /** A connection for a program that says nothing of what it will speak. */
  async dial(target: Target, options: DialOptions): Promise<Duplex> {
    return await this.route(target, "tcp").dial(options);
  }

  /** The way to a destination; which of the user's proxies lies on it depends on what will be spoken. Throws a {@linkcode DialError}. */
  route(target: Target, scheme: ProxiedScheme): Route {
    if (target.network === "udp") {
      const udp = (signal: AbortSignal) => connectUdp(target.host, target.port, signal, { clock: this.#clock });
      return {
        via: "direct",
        dial: ({ signal }) => this.#within(target, signal, (bounded) => this.#plainly(target, bounded, udp)),
      };
    }
    const proxy = this.#proxyFor(target, scheme);
    if (!proxy) {
      const tcp = (signal: AbortSignal) => this.#connect(target.host, target.port, signal);
      return {
        via: "direct",
        dial: ({ signal }) => this.#within(target, signal, (bounded) => this.#plainly(target, bounded, tcp)),
      };
    }
    const forwards = scheme === "http" && (proxy.protocol === "http" || proxy.protocol === "https");
    const dial = (signal: AbortSignal) =>
      forwards ? this.#openProxy(proxy, signal) : this.#dialThrough(proxy, target, signal);
    return {
      via: "direct",
      ...(forwards && { httpProxy: proxy }),
      dial: ({ signal }) => this.#within(target, signal, dial),
    };
  }

  #proxyFor(target: Target, scheme: ProxiedScheme): ProxySetting | undefined {
    try {
      const proxy = this.#settings.proxyFor(scheme, target.host, target.port);
      return proxy && !this.#isOurs(proxy) ? proxy : undefined;
    } catch (error) {
      throw new DialError("unreachable", `${describe(target)} is not tried: ${messageOf(error)}`, { cause: error });
    }
  }

  async #within(target: Target, signal: AbortSignal, dial: (bounded: AbortSignal) => Promise<Duplex>): Promise<Duplex> {
    const late = new AbortController();
    const cancel = this.#clock.after(patience, () => {
      late.abort(new DialError("timeout", `${describe(target)} did not answer within ${patience / 1000} s`));
    });
    try {
      return await dial(AbortSignal.any([signal, late.signal]));
    } finally {
      cancel();
    }
  }

  async #plainly(
    target: Target,
    signal: AbortSignal,
    connect: (signal: AbortSignal) => Promise<Duplex>,
  ): Promise<Duplex> {
    try {
      return await connect(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error, target);
    }
  }

  async #dialThrough(proxy: ProxySetting, target: Target, signal: AbortSignal): Promise<Duplex> {
    try {
      return await connectThroughProxy(
        proxy,
        target.host,
        target.port,
        (each, signal) => this.#connectProxy(each, signal),
        signal,
      );
    } catch (error) {
      if (!(error instanceof ProxyConnectError)) throw error;
      throw new DialError(proxyKinds[error.kind], error.message, { cause: error });
    }
  }

  async #openProxy(proxy: ProxySetting, signal: AbortSignal): Promise<Duplex> {
    try {
      return await this.#connectProxy(proxy, signal);
    } catch (error) {
      signal.throwIfAborted();
      const name = `The proxy "${proxy.host}:${proxy.port}" (${proxy.source})`;
      throw new DialError("unreachable", `${name} cannot be reached: ${messageOf(error)}`, { cause: error });
    }
  }

  async #connectProxy(proxy: ProxySetting, signal: AbortSignal): Promise<Duplex> {
    const stream = await this.#connect(proxy.host, proxy.port, signal);
    if (proxy.protocol !== "https") return stream;
    return await openTls(
      stream,
      { host: proxy.host, ca: undefined, certificate: undefined, skipVerify: false },
      signal,
    );
  }
}

const proxyKinds: Readonly<Record<ProxyConnectErrorKind, DialErrorKind>> = {
  unreachable: "unreachable",
  authentication: "forbidden",
  forbidden: "forbidden",
  refused: "refused",
  failed: "unreachable",
  timeout: "timeout",
  protocol: "unreachable",
};

/** The system's error codes (errno, getaddrinfo) that have a meaning of their own here. */
const systemErrors: Readonly<Record<string, readonly [DialErrorKind, string]>> = {
  ECONNREFUSED: ["refused", "refused the connection: nothing listens there"],
  ENOTFOUND: ["unknown", "cannot be resolved: no such name in DNS"],
  EAI_AGAIN: ["unknown", "cannot be resolved: DNS gives no answer"],
  ETIMEDOUT: ["timeout", "did not answer in time"],
  EHOSTUNREACH: ["unreachable", "cannot be reached: no route to the host"],
  ENETUNREACH: ["unreachable", "cannot be reached: no route to the network"],
};

function explain(error: unknown, target: Target): DialError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const [kind, what] = systemErrors[code] ?? ["unreachable", `cannot be reached: ${messageOf(error)}`];
  return new DialError(kind, `${describe(target)} ${what}`, { cause: error });
}

function describe({ host, port }: Target): string {
  return `"${host.includes(":") ? `[${host}]` : host}:${port}"`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
