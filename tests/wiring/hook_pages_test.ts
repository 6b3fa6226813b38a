import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { silentLog } from "../../src/platform/log.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Target } from "../../src/tunnel/dialer.ts";
import { hookPages } from "../../src/wiring/hook_pages.ts";
import { MadeUpAddresses } from "../../src/wiring/made_up_addresses.ts";
import { TargetPorts } from "../../src/wiring/target_ports.ts";
import { duplexPair } from "../stream/duplex_pair.ts";

/** The pages of a cluster that has `orders` and the pod 10.244.0.7, with what was dialled there. */
function pages() {
  const dialled: Target[] = [];
  const ports = new TargetPorts({
    dialer: {
      dial(target): Promise<Duplex> {
        dialled.push(target);
        const [near, far] = duplexPair(1024);
        far.write(new TextEncoder().encode(`${target.host}:${target.port}`)).then(() => far.close());
        return Promise.resolve(near);
      },
    },
    warnings: silentLog,
  });
  const all = hookPages({
    isClusters: ({ host }) => Promise.resolve(["orders", "laptop", "10.244.0.7"].includes(host.toLowerCase())),
    addresses: new MadeUpAddresses(),
    ports,
    ownName: "Laptop",
  });
  const ask = async (page: string, query: Record<string, string>) =>
    await all[page]!.respond({ query: new URLSearchParams(query), body: new Uint8Array() });
  return {
    dialled,
    ports,
    address: async (host: string) => (await ask("GET /address", { host })).text,
    port: async (host: string, port: number | string) => (await ask("PUT /port", { host, port: `${port}` })).text,
    status: async (page: string, query: Record<string, string>) => (await ask(page, query)).status ?? 200,
  };
}

async function hears(port: number): Promise<string> {
  const stream = await connectTcp("127.0.0.1", port, new AbortController().signal);
  let text = "";
  const into = new Uint8Array(100);
  for (let count; (count = await stream.read(into)) !== null;) {
    text += new TextDecoder().decode(into.subarray(0, count));
  }
  stream.close();
  return text;
}

describe("hookPages", () => {
  it("answer an address for a name of the cluster, and nothing for any other", async () => {
    const { address } = pages();
    const made = await address("orders");
    assertEquals(made.startsWith("198.1"), true, made);
    assertEquals(await address("orders"), made);
    assertEquals(await address("example.com"), "");
  });

  it("leave this machine its own name", async () => {
    const { address, port } = pages();
    assertEquals([await address("laptop"), await address("LAPTOP"), await port("laptop", 80)], ["", "", ""]);
  });

  it("answer a port that leads to a name, to its made-up address and to a pod's address", async () => {
    const { address, port, ports, dialled } = pages();
    const made = await address("orders");
    assertEquals(await hears(Number(await port("orders", 80))), "orders:80");
    assertEquals(await hears(Number(await port(made, 80))), "orders:80");
    assertEquals(await hears(Number(await port("10.244.0.7", 8080))), "10.244.0.7:8080");
    assertEquals(dialled.length, 3);
    assertEquals(await port("orders", 80), await port(made, 80), "one destination has one port");
    assertEquals(await port("example.com", 80), "");
    await ports.close();
  });

  it("refuse what is no host or no port", async () => {
    const { status } = pages();
    assertEquals(await status("GET /address", {}), 400);
    assertEquals(await status("GET /address", { host: "x".repeat(255) }), 400);
    for (const port of ["", "0", "65536", "1.5", "-1", "http"]) {
      assertEquals(await status("PUT /port", { host: "orders", port }), 400, port);
    }
  });

  it("open no port any more once they are closed", async () => {
    const { port, ports } = pages();
    await ports.close();
    assertEquals(await port("orders", 80), "");
  });
});
