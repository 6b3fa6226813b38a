/**
 * A line with latency: forwards TCP and holds every byte back for half of the round trip, each way. Bandwidth stays, as chunks wait in a queue.
 *
 *     deno run -N scripts/bench/delay_line.ts LISTEN-PORT TO-HOST TO-PORT RTT-MS
 */
const [listenPort, host, toPort, rtt] = Deno.args;
const half = Number(rtt) / 2;

async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  try {
    for (;;) {
      const buffer = new Uint8Array(65536);
      const count = await from.read(buffer);
      const due = performance.now() + half;
      const before = tail;
      waiting += count ?? 0;
      tail = (async () => {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        await before;
        if (count === null) return await to.closeWrite();
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
        waiting -= count;
      })();
      tail.catch(() => shut(from));
      if (count === null) return;
      if (waiting > 64 << 20) await tail;
    }
  } catch {
    shut(to);
  }
}

function shut(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}

for await (const near of Deno.listen({ hostname: "127.0.0.1", port: Number(listenPort) })) {
  (async () => {
    await new Promise((resolve) => setTimeout(resolve, half * 2));
    const far = await Deno.connect({ hostname: host ?? "127.0.0.1", port: Number(toPort) });
    near.setNoDelay(true);
    far.setNoDelay(true);
    carry(near, far);
    carry(far, near);
  })().catch(() => shut(near));
}
