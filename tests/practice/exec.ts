import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { PodObject } from "./pod_object.ts";
import type { Registry } from "./registry.ts";
import type { RequestInfo } from "./request_info.ts";
import { resourceTable } from "./resource_table.ts";
import { RuntimeError } from "./runtime_error.ts";
import { SocketCarrier } from "./socket_carrier.ts";
import { WebSocketCarrier } from "./websocket_carrier.ts";
import { websocketAnswer } from "./websocket_answer.ts";

/** What a command writes to its standard output in a pod; undefined where the container has no such program. */
export type ExecProgram = (
  pod: { readonly namespace: string; readonly name: string; readonly container: string },
  command: readonly string[],
) => string | undefined | Promise<string | undefined>;

const pods = resourceTable.get("pods")!;

/** `pods/exec` by GET: WebSockets with `v5.channel.k8s.io`, standard output alone. */
export class Exec {
  readonly #registry: Registry;
  readonly #program: ExecProgram;

  constructor(registry: Registry, program: ExecProgram) {
    this.#registry = registry;
    this.#program = program;
  }

  /** Takes over a connection. Throws a StatusError or a RuntimeError to refuse it. */
  upgrade(request: IncomingMessage, { namespace, name, query }: RequestInfo, socket: Duplex): void {
    const answer = websocketAnswer(request, (offered) => {
      if (!offered.includes("v5.channel.k8s.io")) {
        throw new RuntimeError(400, "unable to upgrade: no known subprotocol");
      }
      return "v5.channel.k8s.io";
    });
    const pod = this.#registry.get(pods, namespace, name) as PodObject; // what is stored as a pod
    const container = query.get("container") ?? "";
    if (!pod.spec.containers.some((each) => each.name === container)) {
      throw new RuntimeError(400, `container ${container} is not valid for pod ${name}`);
    }
    const lines = Object.entries(answer).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${lines.join("")}\r\n`);
    const output = this.#program({ namespace, name, container }, query.getAll("command"));
    // A client that has gone needs no answer.
    this.#answer(new WebSocketCarrier(new SocketCarrier(socket, () => {})), output).catch(() => {});
  }

  async #answer(carrier: WebSocketCarrier, said: ReturnType<ExecProgram>): Promise<void> {
    const output = await said;
    const bytes = new TextEncoder().encode(output ?? "");
    for (let at = 0; at < bytes.length; at += 32767) await carrier.write(channel(1, bytes.subarray(at, at + 32767)));
    const status = output === undefined
      ? { status: "Failure", reason: "InternalError", message: "executable file not found in $PATH" }
      : { status: "Success" };
    await carrier.write(channel(3, new TextEncoder().encode(JSON.stringify({ metadata: {}, ...status }))));
    carrier.close();
  }
}

function channel(number: number, data: Uint8Array): Uint8Array {
  const message = new Uint8Array(data.length + 1);
  message[0] = number;
  message.set(data, 1);
  return message;
}
