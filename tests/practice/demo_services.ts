import type { Manifest } from "./kube_object.ts";
import type { Container, PodConnection, Program } from "./program.ts";
import { serviceManifests } from "./service_manifests.ts";

/** The image of the three services. */
const image = "demo/spring";
/** Who asks whom. */
const chain = ["gateway", "orders", "stock"];

/** Three services in the namespace `spring`: `gateway` asks `orders`, which asks `stock`. */
export function demoServices(): Manifest[] {
  const namespace = "spring";
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    ...chain.flatMap((name, at) => {
      const env = { NAME: name, NEXT: chain[at + 1] ?? "" };
      return serviceManifests({ namespace, name, image, env, ports: [{ name: "http", port: 80, targetPort: "http" }] });
    }),
  ];
}

/**
 * What runs in them, by image: each passes its task on to `NEXT`, where there is one, with the header by which requests are marked, as an application's framework
 * would, and answers with its own name before the answer from there. One request for each connection is enough here.
 */
export const demoPrograms: Readonly<Record<string, Program>> = {
  async [image](container) {
    await container.listen(8080, (connection) => {
      answer(container, connection).catch(() => connection.reset());
    });
    return () => {};
  },
};

async function answer(container: Container, connection: PodConnection): Promise<void> {
  const { NAME, NEXT } = container.env;
  const decoder = new TextDecoder();
  let head = "";
  for (let chunk; !head.includes("\r\n\r\n") && (chunk = await connection.read()) !== null;) {
    head += decoder.decode(chunk, { stream: true });
  }
  const mark = /^version:.*$/im.exec(head)?.[0];
  const text = NEXT ? `${NAME} -> ${await ask(container, NEXT, mark)}` : `${NAME} in the cluster`;
  await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
  connection.close();
}

async function ask(container: Container, host: string, mark: string | undefined): Promise<string> {
  const connection = await container.dial(host, 80);
  const head = ["GET / HTTP/1.1", `Host: ${host}`, "Connection: close", ...mark ? [mark] : [], "", ""];
  await connection.write(new TextEncoder().encode(head.join("\r\n")));
  const text = await new Response(connection.readable).text(); // closes the connection
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}
