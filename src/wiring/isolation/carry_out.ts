import { join } from "node:path";
import type { Destination } from "../../platform/original_destination.ts";
import { connectUnix } from "../../stream/connect_unix.ts";
import type { Duplex } from "../../stream/duplex.ts";
import { FramedStream } from "../../stream/framed_stream.ts";
import { connectThroughProxy } from "../../stream/proxy_connect.ts";
import { relay } from "../../stream/relay.ts";
import { type IsolationPlan, socketNames } from "./control_message.ts";

/**
 * Carries redirected connections to the front door outside, which knows the way to their destinations. Where there is none, the program sees its
 * connection reset: the kernel has accepted it before anybody could know.
 */
export function carryOut(
  door: IsolationPlan["door"],
  folder: string,
): (stream: Duplex, destination: Destination) => Promise<void> {
  const open = async () => new FramedStream(await connectUnix(join(folder, socketNames.door)));
  const proxy = { ...door, protocol: "socks5", host: "127.0.0.1", source: "hawser" } as const;
  const never = new AbortController().signal; // the front door bounds its time, and ends with hawser outside
  return async (stream, { host, port }) => {
    // Programs that know of the front door speak to it themselves.
    const isDoor = port === door.port && (host === "127.0.0.1" || host === "::1");
    try {
      await relay(stream, isDoor ? await open() : await connectThroughProxy(proxy, host, port, open, never));
    } catch {
      stream.reset();
    }
  };
}
