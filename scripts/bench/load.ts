/**
 * The load of the benchmark: a TCP service whose first line chooses what it does (`echo`, or `source N` for N bytes), reached on a local port.
 */
const encoder = new TextEncoder();

/** Opens a connection and sends the line that chooses the service's behaviour. */
async function open(port: number, line: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  await connection.write(encoder.encode(line));
  return connection;
}

/** Milliseconds from `connect` to the first byte of the answer. */
export async function firstByte(port: number): Promise<number> {
  const begin = performance.now();
  const connection = await open(port, "echo\nx");
  if (await connection.read(new Uint8Array(1)) !== 1) throw new Error(`No answer on port ${port}`);
  const took = performance.now() - begin;
  connection.close();
  return took;
}

/** New connections per second, each with one byte there and back, by `parallel` clients. */
export async function connectionRate(port: number, parallel: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  await Promise.all(Array.from({ length: parallel }, async () => {
    while (performance.now() < end) {
      await firstByte(port);
      count++;
    }
  }));
  return count / seconds;
}

/** MiB per second received over `streams` connections together. */
export async function download(port: number, streams: number, seconds: number): Promise<number> {
  const begin = performance.now();
  let bytes = 0, stop = false;
  const connections = await Promise.all(
    Array.from({ length: streams }, () => open(port, "source 1000000000000\n")),
  );
  const timer = setTimeout(() => {
    stop = true;
    for (const connection of connections) connection.close();
  }, seconds * 1000);
  await Promise.all(connections.map(async (connection) => {
    const buffer = new Uint8Array(1 << 20);
    for (let count; !stop && (count = await connection.read(buffer).catch(() => null)) !== null;) bytes += count;
  }));
  clearTimeout(timer);
  return bytes / 1048576 / ((performance.now() - begin) / 1000);
}

/** Round trips of one byte in milliseconds, over one connection, one every `pause` ms. */
export async function pings(port: number, count: number, pause: number): Promise<number[]> {
  const connection = await open(port, "echo\n");
  const one = new Uint8Array(1), times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    await connection.write(one);
    if (await connection.read(one) === null) throw new Error(`The connection to port ${port} ended`);
    times.push(performance.now() - begin);
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  connection.close();
  return times;
}

/** Downloads without end in a thread of its own, so that reading it does not delay the one who measures; returns what stops it. */
export async function bulk(port: number): Promise<() => void> {
  const worker = new Worker(import.meta.resolve("./bulk_worker.ts"), { type: "module" });
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(port);
  });
  return () => worker.terminate();
}
