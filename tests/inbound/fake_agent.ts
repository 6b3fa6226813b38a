import type {
  AgentConfig,
  ControlAnswer,
  ControlEvent,
  ControlRequest,
  Hello,
  OwnerRules,
  Rule,
  StreamAnswer,
} from "../../src/agent/protocol.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { bufferedDuplex } from "../../src/stream/buffered_duplex.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { Mux } from "../../src/tunnel/mux.ts";
import type { PodConnection, Program } from "../practice/program.ts";

type Answer = ControlAnswer extends infer A ? A extends unknown ? Omit<A, "seq"> : never : never;

interface Linked {
  /** Of the agent that it is linked to. */
  readonly service: string;
  readonly name: string;
  readonly mux: Mux;
  readonly tell: (event: ControlEvent) => void;
  rules: readonly Rule[];
}

/** An agent that shakes hands and keeps rules, and lets a test say what traffic comes. */
export class FakeAgent {
  /** What happened, in its order. */
  readonly seen: string[] = [];
  /** Pods that run now. */
  running = 0;
  /** Greetings still to be refused, as one whose token is another's would. */
  strangers = 0;
  /** The tokens that laptops have shown. */
  readonly tokens: string[] = [];
  readonly #linked = new Map<string, Linked>();

  /** For the image of the agent. */
  readonly program: Program = async (container) => {
    const { linkPort, healthPort, service }: AgentConfig = JSON.parse(container.env.HAWSER_AGENT ?? "{}");
    await container.listen(healthPort, (connection) => void answerProbe(connection));
    await container.listen(linkPort, (connection) => {
      this.#link(toDuplex(connection), service).catch(() => {}); // a laptop may die while it greets
    }, "localhost");
    this.running++;
    return () => {
      this.running--;
      for (const linked of this.#linked.values()) if (linked.service === service) linked.mux.close();
    };
  };

  /** Who is linked, and with which rules. */
  owners(): OwnerRules[] {
    return [...this.#linked].map(([id, { name, rules }]) => ({ id, owner: name, rules }));
  }

  /** Hands a connection to whoever has a rule for a port; resolves with the first answer and all bytes that came back for `text`. */
  async deliver(port: number, text: string): Promise<{ answer: StreamAnswer; reply: string }> {
    const [taker, rule] =
      [...this.#linked.values()].flatMap((linked) =>
        linked.rules.filter((rule) => rule.port === port).map((rule) => [linked, rule] as const)
      )[0] ?? [];
    if (!taker || !rule) throw new Error(`Nobody has a rule for port ${port}`);
    const stream = taker.mux.open();
    await stream.write(line({ rule: rule.id, port, remote: "10.244.0.9:1234" }));
    const reader = new BufferedReader(stream, 65536);
    const answer: StreamAnswer = JSON.parse(new TextDecoder().decode(await reader.line(65536)));
    if (!answer.ok) return { answer, reply: "" };
    await stream.write(new TextEncoder().encode(text));
    await stream.closeWrite();
    const rest = bufferedDuplex(stream, reader);
    let reply = "";
    const buffer = new Uint8Array(4096);
    for (let count; (count = await rest.read(buffer)) !== null;) {
      reply += new TextDecoder().decode(buffer.subarray(0, count));
    }
    stream.close();
    taker.tell({ event: "served", rule: rule.id, count: 1 });
    return { answer, reply };
  }

  /** Cuts all links, as a lost network would. */
  cut(): void {
    for (const { mux } of this.#linked.values()) mux.close();
  }

  async #link(carrier: Duplex, service: string): Promise<void> {
    const reader = new BufferedReader(carrier, 65536);
    const hello: Hello = JSON.parse(new TextDecoder().decode(await reader.line(65536)));
    this.tokens.push(hello.token);
    if (this.strangers > 0) {
      this.strangers--;
      await carrier.write(line({ error: "not this agent's token", reason: "token" }));
      return carrier.close();
    }
    await carrier.write(line({ hawser: 1, agent: "fake" }));
    const { id, name } = hello.owner;
    this.seen.push(`${name} linked`);
    let control = (_event: ControlEvent) => {};
    const mux: Mux = new Mux(bufferedDuplex(carrier, reader), {
      role: "server",
      onStream: (stream) => {
        control = (event) => void stream.write(line(event)).catch(() => {});
        this.#control(id, name, stream).catch(() => {});
      },
      onEnd: () => {
        if (this.#linked.get(id)?.mux === mux) this.#linked.delete(id);
      },
    }, { clock: systemClock });
    this.#linked.set(id, { service, name, mux, tell: (event) => control(event), rules: [] });
  }

  async #control(id: string, name: string, stream: Duplex): Promise<void> {
    const reader = new BufferedReader(stream, 65536);
    for (;;) {
      const request: ControlRequest = JSON.parse(new TextDecoder().decode(await reader.line(65536)));
      await stream.write(line({ seq: request.seq, ...this.#answer(id, name, request) }));
    }
  }

  #answer(id: string, name: string, request: ControlRequest): Answer {
    this.seen.push(`${name} ${request.type}${request.type === "rules" ? ` ${request.rules.length}` : ""}`);
    if (request.type === "owners") return { ok: true, owners: this.owners() };
    if (request.type === "drain") return { ok: true };
    const mark = (rule: Rule) => JSON.stringify([rule.port, rule.match]);
    const linked = this.#linked.get(id);
    for (const [other, { name, rules, service }] of this.#linked) {
      if (
        other !== id && service === linked?.service &&
        rules.some((rule) => request.rules.some((mine) => mark(mine) === mark(rule)))
      ) {
        return { ok: false, error: "taken", holder: name };
      }
    }
    if (linked) linked.rules = request.rules;
    return { ok: true };
  }
}

async function answerProbe(connection: PodConnection): Promise<void> {
  await connection.read();
  await connection.write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  connection.close();
}

function line(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

function toDuplex(connection: PodConnection): Duplex {
  let rest = new Uint8Array(0);
  return {
    async read(into) {
      if (rest.length === 0) {
        const chunk = await connection.read();
        if (chunk === null) return null;
        rest = new Uint8Array(chunk);
      }
      const count = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    write: (data) => connection.write(data.slice()),
    closeWrite: () => Promise.resolve(connection.closeWrite()),
    reset: () => connection.reset(),
    close: () => connection.close(),
  };
}
