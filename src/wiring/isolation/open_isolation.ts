import { join } from "node:path";
import { JsonLines } from "../../cluster/json_lines.ts";
import type { SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { readProc } from "../../platform/read_proc.ts";
import type { CommandLine } from "../../platform/self.ts";
import { connectUnix } from "../../stream/connect_unix.ts";
import type { Duplex } from "../../stream/duplex.ts";
import { FramedStream } from "../../stream/framed_stream.ts";
import { listenUnix } from "../../stream/listen_unix.ts";
import { relay } from "../../stream/relay.ts";
import { type InsideMessage, type IsolationPlan, longestMessage, socketNames } from "./control_message.ts";
import { followListeningSockets, listeningSockets } from "./listening_sockets.ts";
import { isolatedVariable, toolVariables } from "./isolation_tools.ts";
import { type PublishedPort, PublishedPorts } from "./published_ports.ts";
import { isOnLoopback } from "./is_on_loopback.ts";
import { inwardHead } from "./take_connections.ts";

/** How a program is to be isolated. */
export interface IsolationOptions {
  /** A folder that only the user may enter; its path is short enough for sockets. Removed at the end. */
  readonly folder: string;
  /** The command that gives whatever stands behind it namespaces of its own. */
  readonly unshare: readonly [string, ...string[]];
  /** How hawser starts its inside, which gets the folder as its only argument. */
  readonly inside: (folder: string) => CommandLine;
  readonly plan: Pick<IsolationPlan, "door" | "resolvConf">;
}

/** What it works with. */
export interface IsolationDeps {
  /** Takes a connection as the front door's port would. */
  serveDoor(stream: Duplex): void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A program that is to be started, by its file. */
export interface ProgramStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The outside of an isolation, ready for one program. */
export interface Isolation {
  /** What to start in the program's place: it runs the program isolated and passes signals and its status on. `env` is that of hawser itself. */
  wrap(start: ProgramStart, env: Readonly<Record<string, string>>): Promise<ProgramStart>;
  close(): Promise<void>;
}

/** Milliseconds between two looks at what listens on the host. */
const lookInterval = 1000;

/** Opens the sockets to which the inside of an isolation comes. Rejects where the folder cannot hold them. */
export function openIsolation({ folder, unshare, inside, plan }: IsolationOptions, deps: IsolationDeps): Isolation {
  const { clock, log } = deps;
  const at = (name: keyof typeof socketNames) => join(folder, socketNames[name]);
  const closing = new AbortController();
  const started = Promise.withResolvers<IsolationPlan>();
  const published = new PublishedPorts({
    onPublished: (ports) => log.event(describe(ports)),
    carry: (stream, program) => carryIn(stream, at("inside"), program),
  });
  const door = listenUnix(at("door"), { clock }, (stream) => deps.serveDoor(new FramedStream(stream)));
  const control = listenUnix(at("control"), { clock }, (stream) => {
    speak(stream, started.promise, published, clock, closing.signal).finally(() => stream.close());
  });
  return {
    async wrap({ program, args, env }, ownEnv) {
      const host = onLoopback(await listeningSockets(), []);
      started.resolve({
        ...plan,
        program,
        args,
        env: { ...env, [isolatedVariable]: "1" },
        host,
        ipv6: await hasIpv6(),
      });
      const [first, ...rest] = unshare;
      const self = inside(folder);
      return {
        program: first,
        args: [...rest, self.program, ...self.args],
        env: { ...ownEnv, ...toolVariables(folder) },
      };
    },
    async close() {
      closing.abort();
      await Promise.all([published.close(), door.close(), control.close()]);
    },
  };
}

/** Tells the inside what to do and what listens here, and publishes what listens there; until it ends. Never rejects. */
async function speak(
  stream: Duplex,
  plan: Promise<IsolationPlan>,
  published: PublishedPorts,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const send = (message: unknown) => stream.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  const over = new AbortController();
  const close = () => stream.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    await send(await plan);
    const look = followListeningSockets(
      lookInterval,
      (sockets) => send({ host: onLoopback(sockets, published.ports) }).catch(() => {}),
      { clock },
      over.signal,
    );
    const lines = new JsonLines(stream, longestMessage);
    for (let message = await lines.next<InsideMessage>(); message; message = await lines.next<InsideMessage>()) {
      await published.set(message.listening);
    }
    over.abort();
    await look;
  } catch {
    // it broke off: the program has ended
  } finally {
    over.abort();
    signal.removeEventListener("abort", close);
    await published.set([]);
  }
}

/** Where this machine's loopback answers, but for ports that are published. */
function onLoopback(sockets: readonly SocketAddress[], published: readonly number[]): readonly SocketAddress[] {
  return sockets.filter(({ address, port }) => isOnLoopback(address) && !published.includes(port));
}

/** Whether this machine has a default route for IPv6; a destination and prefix of zero that is not the one to nowhere (proc(5), ipv6_route). */
async function hasIpv6(): Promise<boolean> {
  const routes = await readProc("/proc/self/net/ipv6_route");
  return routes.split("\n").some((route) => /^0{32} 00 /.test(route) && !route.trimEnd().endsWith(" lo"));
}

async function carryIn(stream: Duplex, path: string, program: SocketAddress): Promise<void> {
  try {
    const inside = new FramedStream(await connectUnix(path));
    await inside.write(inwardHead(program));
    await relay(stream, inside);
  } catch {
    stream.reset();
  }
}

function describe(ports: readonly PublishedPort[]): string {
  const same = ports.filter(({ inside, port }) => inside.port === port).map(({ port }) => String(port));
  const other = ports.filter(({ inside, port }) => inside.port !== port)
    .map(({ inside, port }) => `${inside.port} as ${port}, because that one is not free here`);
  return `The program's ports on this machine's 127.0.0.1: ${[...same, ...other].join(", ")}`;
}
