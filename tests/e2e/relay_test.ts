import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import dgram from "node:dgram";
import { describe, it } from "@std/testing/bdd";
import { formatSocksDatagram, parseSocksDatagram } from "../../src/proxy/socks_datagram.ts";
import { connectHawser, Home, runHawser, RunningHawser } from "./hawser.ts";
import { nodeImage } from "./inbound_scene.ts";
import { deployment, service } from "./manifests.ts";
import { Scene } from "./scene.ts";

const relayFlags = ["--relay", "--agent-image", nodeImage];

/** A namespace with `web` (HTTP, a TCP service whose first line chooses what it does, and a UDP echo), and a service without selector that leads to its pod. */
async function open(): Promise<Scene> {
  const scene = await Scene.open("relay");
  await scene.apply(
    deployment("web"),
    service("web", {
      ports: [{ name: "http", port: 80, targetPort: 8080 }, { name: "raw", port: 7000 }, {
        name: "echo",
        port: 7001,
        protocol: "UDP",
      }],
    }),
  );
  await scene.ready("deployment/web");
  const [address = ""] = await scene.find(["pods", "-l", "app=web"], "{.items[0].status.podIP}");
  await scene.apply(
    { apiVersion: "v1", kind: "Service", metadata: { name: "manual" }, spec: { ports: [{ port: 7000 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "manual-1", labels: { "kubernetes.io/service-name": "manual" } },
      addressType: "IPv4",
      ports: [{ name: "", port: 7000, protocol: "TCP" }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
  );
  await scene.serves("web", "");
  return scene;
}

/** Says something, ends its own direction, and gives all that comes back. */
async function said(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  await connection.closeWrite();
  const decoder = new TextDecoder();
  let all = "";
  const buffer = new Uint8Array(4096);
  for (let count; (count = await connection.read(buffer)) !== null;) all += decoder.decode(buffer.subarray(0, count));
  return all;
}

/** Sends a datagram, again each second as DNS clients do, and gives the answer. */
async function asked(port: number, datagram: Uint8Array): Promise<Uint8Array> {
  const socket = dgram.createSocket("udp4");
  try {
    return await new Promise((resolve, reject) => {
      let tries = 0;
      const send = () => ++tries > 10 ? reject(new Error("no answer")) : socket.send(datagram, port, "127.0.0.1");
      const timer = setInterval(send, 1000);
      socket.on("message", (answer) => {
        clearInterval(timer);
        resolve(new Uint8Array(answer));
      });
      send();
    });
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** A query for the IPv4 addresses of a name. */
function query(name: string): Uint8Array {
  const labels = name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1);
}

/** Waits until nothing of hawser's is left in the namespace. */
async function nothingLeft(scene: Scene): Promise<void> {
  for (let tries = 0, left = "?"; left !== ""; tries++) {
    assert(tries < 100, `left behind: ${left}`);
    const kinds = "deployments,configmaps,secrets,leases,pods";
    left = await scene.kubectl("get", kinds, "-l", "app.kubernetes.io/managed-by=hawser", "-o", "name");
    if (left !== "") await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe("the relay", () => {
  it("forwards to services, services without selector, addresses and UDP, with half-close, and leaves nothing", async () => {
    await using home = await Home.open();
    await using scene = await open();
    const where = ["-n", scene.namespace, ...relayFlags, "-o", "json"];
    const [address = ""] = await scene.find(["pods", "-l", "app=web"], "{.items[0].status.podIP}");
    const targets = [
      "web",
      ":7000",
      ":7001/udp",
      "manual",
      ":7000",
      address,
      ":7000",
      "kube-dns.kube-system",
      ":53/udp",
    ];
    const running = new RunningHawser(home, ["forward", ...targets, ...where]);
    try {
      const { forwards }: { forwards: { port: number }[] } = JSON.parse(await running.line());
      const [web, echo, manual, pod, dns] = forwards.map(({ port }) => port) as [
        number,
        number,
        number,
        number,
        number,
      ];
      for (const port of [web, manual, pod]) assertEquals(await said(port, "echo\nto the end"), "to the end");
      const large = new Uint8Array(8000).fill(7);
      assertEquals(await asked(echo, large), large);
      const answer = await asked(dns, query(`web.${scene.namespace}.svc.cluster.local`));
      const [ip = ""] = await scene.find(["service", "web"], "{.spec.clusterIP}");
      assertEquals([...answer.slice(-4)].join("."), ip);
      const { stdout } = await runHawser(home, ["status", "--cluster", "-n", scene.namespace]);
      assertMatch(stdout, /relay/);
    } finally {
      assertEquals((await running.stop()).code, 130);
    }
    await nothingLeft(scene);
  });

  it("carries a SOCKS5 client's datagrams, and tells one without relay what it takes", async () => {
    await using home = await Home.open();
    await using scene = await open();
    const { running, report } = await connectHawser(home, ["-n", scene.namespace, ...relayFlags]);
    try {
      assertStringIncludes(report.relay ?? "", "hawser-relay-");
      using control = await Deno.connect({ hostname: "127.0.0.1", port: report.port });
      const reply = new Uint8Array(32);
      await control.write(Uint8Array.of(5, 1, 0));
      assertEquals(await control.read(reply), 2);
      await control.write(Uint8Array.of(5, 3, 0, 1, 0, 0, 0, 0, 0, 0));
      assertEquals([await control.read(reply), reply[1]], [10, 0]);
      const target = { host: "web", port: 7001, network: "udp" as const };
      const data = new TextEncoder().encode("hello");
      const answer = await asked(reply[8]! << 8 | reply[9]!, formatSocksDatagram({ target, data }));
      assertEquals(parseSocksDatagram(answer), { target, data });
    } finally {
      await running.stop();
    }
    await nothingLeft(scene);
    const refused = await runHawser(home, ["forward", "-n", scene.namespace, "web", "7001/udp"]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "add --relay");
  });
});
