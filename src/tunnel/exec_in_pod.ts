import type { Access } from "../cluster/access.ts";
import type { PodRef } from "../cluster/directory.ts";
import { openWebSocket } from "./open_websocket.ts";

/** What to run, and where. */
export interface ExecRequest {
  readonly pod: PodRef;
  readonly container: string;
  readonly command: readonly string[];
  /** Bytes of output after which the rest is not waited for. */
  readonly limit: number;
}

/** First bytes of messages: which stream they belong to (`v4.channel.k8s.io`, which version 5 keeps). */
const channels = { stdout: 1, error: 3 } as const;

/** A server sends what fits into one copy buffer of 32 KiB, and the channel's byte. */
const messageLimit = 256 * 1024;

/**
 * Runs a program in a container (`pods/exec`) and resolves with what it wrote to its standard output, whatever its exit status. Rejects as `requestUpgrade` does, with
 * a `WebSocketError` on what is no WebSocket, and with the signal's reason.
 */
export async function execInPod(
  access: Access,
  { pod, container, command, limit }: ExecRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const query = new URLSearchParams([["container", container], ["stdout", "true"]]);
  for (const word of command) query.append("command", word);
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/exec?${query}`;
  const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
  const wire = await openWebSocket(access, { path, protocols, purpose: "exec over WebSockets" }, signal);
  const end = () => wire.close();
  signal.addEventListener("abort", end, { once: true });
  const output = new Uint8Array(limit);
  let length = 0;
  try {
    while (length < limit) {
      const message = await wire.message(messageLimit);
      if (!message || message[0] === channels.error) break; // the program's status, which comes last
      if (message[0] !== channels.stdout) continue;
      const data = message.subarray(1, 1 + limit - length);
      output.set(data, length);
      length += data.length;
    }
    return output.subarray(0, length);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", end);
    wire.close();
  }
}
