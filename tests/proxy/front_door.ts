import { type Log, silentLog } from "../../src/platform/log.ts";
import { openProxy, type ProxyDeps, type ProxyOptions, type ProxyServer } from "../../src/proxy/server.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import { listenTcp, type TcpListener } from "../../src/stream/listen_tcp.ts";
import { DialError, type DialOptions, type Target } from "../../src/tunnel/dialer.ts";
import { End } from "../stream/end.ts";

/** What a destination does with each connection: plays its part, or cannot be had. */
export type Part = ((end: End) => Promise<void>) | DialError;

/** A front door with destinations behind it. */
export interface FrontDoorStage {
  readonly proxy: ProxyServer;
  /** What was dialled, in order. */
  readonly dialled: ReadonlyArray<Target & DialOptions>;
  /** What the log was told, `level message`. */
  readonly told: readonly string[];
  /** A new client. */
  connect(): Promise<End>;
}

/**
 * Opens a front door before destinations on this machine, one per host of `parts` (any port), runs the test, and takes everything down. A test
 * that waits for what never comes fails after 10 s, when all its connections are cut.
 */
export async function withFrontDoor(
  parts: Readonly<Record<string, Part>>,
  test: (stage: FrontDoorStage) => Promise<void>,
  options: Partial<ProxyOptions & ProxyDeps> = {},
): Promise<void> {
  const told: string[] = [];
  const log: Log = { ...silentLog };
  for (const level of ["error", "warn", "info", "debug"] as const) {
    log[level] = (message) => void told.push(`${level} ${message}`);
  }
  const listeners = new Map<string, TcpListener>();
  const ends = new Set<End>();
  const played: Promise<void>[] = [];
  for (const [host, part] of Object.entries(parts)) {
    if (part instanceof DialError) continue;
    listeners.set(
      host,
      await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => {
        const end = new End(stream);
        ends.add(end);
        played.push(part(end).catch((error) => void told.push(`part ${host} ${error}`)).finally(() => stream.close()));
      }),
    );
  }
  const dialled: Array<Target & DialOptions> = [];
  const dial = async (target: Target, options: DialOptions) => {
    dialled.push({ ...target, ...options });
    const part = parts[target.host];
    const listener = listeners.get(target.host);
    if (listener) return await connectTcp("127.0.0.1", listener.port, options.signal);
    const error = part instanceof DialError ? part : new DialError("unknown", `"${target.host}" is unknown`);
    if (!options.early) throw error;
    return {
      read: () => Promise.reject(error),
      write: () => Promise.resolve(),
      closeWrite: () => Promise.resolve(),
      reset() {},
      close() {},
    };
  };
  const router: ProxyDeps["router"] = {
    route: (target) => Promise.resolve({ via: "cluster", dial: (options) => dial(target, options) }),
  };
  const proxy = await openProxy({ ports: [0], hosts: ["127.0.0.1"], token: "secret", ...options }, {
    router,
    log,
    ...options,
  });
  const cutAll = () => {
    for (const end of ends) end.stream.close();
  };
  let late = false;
  const guard = setTimeout(() => {
    late = true;
    cutAll();
    void proxy.close();
  }, 10_000);
  try {
    await test({
      proxy,
      dialled,
      told,
      async connect() {
        const end = new End(await connectTcp("127.0.0.1", proxy.port, new AbortController().signal));
        ends.add(end);
        return end;
      },
    });
    if (late) throw new Error("The test took more than 10 s and was cut short");
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.stack : error}\nThe log said:\n${told.join("\n")}`, {
      cause: error,
    });
  } finally {
    clearTimeout(guard);
    cutAll();
    await proxy.close();
    await Promise.all([...listeners.values()].map((listener) => listener.close()));
    await Promise.all(played);
  }
}
