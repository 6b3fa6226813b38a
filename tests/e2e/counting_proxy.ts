import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { kubectl } from "./kubectl.ts";

/** An HTTP server before the API server, for one hawser, which sees each of its calls. */
export interface CountingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly server: string;
  /** The writes that the API server has taken: `POST /api/v1/…`. */
  readonly writes: readonly string[];
}

/** Neither changes anything that anybody else sees, nor comes at a known place among the others. */
const uncounted = /^(POST .*\/selfsubject\w+reviews|PATCH .*\/leases\/.*)$/;

/** Starts one; `onWrite` is called when the API server has taken a write, before hawser hears of it. Credentials are passed on. */
export async function startCountingProxy(onWrite: (count: number) => void): Promise<CountingProxy> {
  const api = await apiServer();
  const writes: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    let arrived = Buffer.alloc(0);
    const take = (chunk: Buffer) => {
      arrived = Buffer.concat([arrived, chunk]);
      const end = arrived.indexOf("\r\n\r\n");
      if (end < 0) return;
      near.off("data", take).pause();
      pass(near, arrived.subarray(0, end).toString(), arrived.subarray(end));
    };
    sockets.add(near.on("error", () => {}).on("data", take));
  });
  /** One call for each connection, which the API server is asked to end with its answer. */
  const pass = (near: net.Socket, head: string, rest: Buffer) => {
    const kept = /\r\nupgrade:/i.test(head)
      ? head
      : `${head.replace(/\r\nconnection:[^\r]*/i, "")}\r\nConnection: close`;
    const far = tls.connect(api);
    sockets.add(far.on("error", () => near.destroy()));
    near.on("close", () => far.destroy());
    far.write(Buffer.concat([Buffer.from(kept), rest]));
    near.pipe(far);
    const [method, path = ""] = head.split(" ");
    const write = `${method} ${path.split("?")[0]}`;
    if (method === "GET" || uncounted.test(write)) return far.pipe(near);
    const answer: Buffer[] = [];
    far.on("data", (chunk: Buffer) => answer.push(chunk)).on("end", () => {
      onWrite(writes.push(write));
      near.end(Buffer.concat(answer));
    });
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, // it listens on TCP
    writes,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Where it is, and whom it is to be signed by. */
async function apiServer(): Promise<{ host: string; port: number; ca: string | undefined }> {
  const text = await kubectl(["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]);
  const { clusters: [{ cluster }] }: {
    clusters: [{ cluster: { server: string; "certificate-authority-data"?: string } }];
  } = JSON.parse(text);
  const { hostname: host, port } = new URL(cluster.server);
  const data = cluster["certificate-authority-data"];
  return { host, port: Number(port || 443), ca: data && Buffer.from(data, "base64").toString() };
}
