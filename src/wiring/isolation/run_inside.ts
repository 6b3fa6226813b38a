import { join } from "node:path";
import { JsonLines } from "../../cluster/json_lines.ts";
import type { SocketAddress } from "../../cluster/parse_proc_net_tcp.ts";
import type { Clock } from "../../platform/clock.ts";
import { openOriginalDestinations } from "../../platform/original_destination.ts";
import { runProgram } from "../../platform/program.ts";
import type { Environment } from "../../platform/proxy_settings.ts";
import { connectUnix } from "../../stream/connect_unix.ts";
import { type HostMessage, type IsolationPlan, longestMessage, socketNames } from "./control_message.ts";
import { openDnsBridge } from "./dns_bridge.ts";
import { carryOut } from "./carry_out.ts";
import { endOthers } from "./end_others.ts";
import { enterNetwork, runTool } from "./enter_network.ts";
import { findIsolationTools, type IsolationTools, powerless } from "./isolation_tools.ts";
import { listenRedirected } from "./listen_redirected.ts";
import { followListeningSockets } from "./listening_sockets.ts";
import { isOnLoopback } from "./is_on_loopback.ts";
import { natRules } from "./nat_rules.ts";
import { takeConnections } from "./take_connections.ts";

/** What it uses of the world. */
export interface InsideDeps {
  readonly env: Environment;
  readonly clock: Clock;
}

/** Milliseconds between two looks at what listens. */
const lookInterval = 200;

/**
 * The inside of an isolation: runs in namespaces of its own, beside the program that it starts, and resolves with the program's exit status. Ends
 * with hawser outside, whose sockets are in `folder`. Rejects with a `Failure` where the namespaces cannot be made ready.
 */
export async function runInside(folder: string, { env, clock }: InsideDeps): Promise<number> {
  const control = await connectUnix(join(folder, socketNames.control));
  const lines = new JsonLines(control, longestMessage);
  const plan = await lines.next<IsolationPlan>();
  const tools = await findIsolationTools(env);
  if (plan === null || "missing" in tools) throw new Error("hawser outside is gone, or a program that it has found");
  await enterNetwork(plan, tools, folder);
  await openDnsBridge(folder);
  takeConnections(join(folder, socketNames.inside), { clock });
  const destinations = openOriginalDestinations();
  const carry = carryOut(plan.door, folder);
  const { port } = await listenRedirected({ host: "127.0.0.1", port: 0 }, destinations, carry);
  const network = new Network(plan, port, tools);
  await network.apply(4);
  try {
    await listenRedirected({ host: "::1", port }, destinations, carry);
    await network.apply(6);
  } catch {
    // IPv6 is switched off, or its NAT is missing: connections are refused, and programs take IPv4
  }

  const over = new AbortController();
  const gone = follow(lines, network).then(() => 1);
  followListeningSockets(
    lookInterval,
    async (sockets) => {
      const ofPrograms = sockets.filter((socket) => socket.port !== port && socket.port !== 53);
      await network.setOwn(ofPrograms);
      const listening = ofPrograms.filter(({ address }) => isOnLoopback(address));
      await control.write(new TextEncoder().encode(`${JSON.stringify({ listening })}\n`)).catch(() => {});
    },
    { clock },
    over.signal,
  );
  const program = runProgram(tools.setpriv, [...powerless, plan.program, ...plan.args], { env: plan.env, os: "linux" });
  const status = await Promise.race([program, gone]);
  over.abort();
  await endOthers({ clock });
  return status;
}

/** Follows what hawser outside says; resolves once it is gone. */
async function follow(lines: JsonLines, network: Network): Promise<void> {
  try {
    for (let message = await lines.next<HostMessage>(); message; message = await lines.next<HostMessage>()) {
      await network.setHost(message.host);
    }
  } catch {
    // it broke off
  }
}

/** The kernel's rules, kept to what listens inside and outside. */
class Network {
  #host: HostMessage["host"];
  #own: readonly SocketAddress[] = [];
  readonly #port: number;
  readonly #tools: IsolationTools;
  /** The rules in force, of the families that there are. */
  readonly #applied = new Map<4 | 6, string>();
  #changing: Promise<void> = Promise.resolve();

  constructor(plan: IsolationPlan, port: number, tools: IsolationTools) {
    this.#host = plan.host;
    this.#port = port;
    this.#tools = tools;
  }

  /** Never rejects. */
  setHost(host: HostMessage["host"]): Promise<void> {
    this.#host = host;
    return this.#change();
  }

  /** Never rejects. */
  setOwn(own: readonly SocketAddress[]): Promise<void> {
    this.#own = own;
    return this.#change();
  }

  /** Rejects with a `Failure` where the system refuses. */
  async apply(family: 4 | 6): Promise<void> {
    const taken = new Set([this.#port, 53, ...this.#own.map(({ port }) => port)]);
    const rules = natRules(this.#tools.nat, family, {
      catchPort: this.#port,
      host: this.#host.filter(({ port }) => !taken.has(port)),
      own: this.#own.filter(({ address }) => !isOnLoopback(address)),
    });
    if (this.#applied.get(family) === rules) return;
    await runTool(this.#tools.natCommands[family], [rules]);
    this.#applied.set(family, rules);
  }

  /** One change at a time. Where the system refuses one, the rules before stay until the next. */
  #change(): Promise<void> {
    return this.#changing = this.#changing.then(async () => {
      for (const family of [...this.#applied.keys()]) await this.apply(family).catch(() => {});
    });
  }
}
