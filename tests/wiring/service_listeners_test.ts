import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Service } from "../../src/cluster/directory.ts";
import { silentLog } from "../../src/platform/log.ts";
import type { openLocalPort } from "../../src/wiring/local_port.ts";
import { openServiceListeners, type ServiceListenersDeps } from "../../src/wiring/service_listeners.ts";

function service(name: string, ports: readonly number[], namespace = "dev"): Service {
  return {
    namespace,
    name,
    kind: "ClusterIP",
    clusterIPs: [],
    externalName: "",
    ports: ports.map((port) => ({ name: "", port, protocol: port === 53 ? "UDP" : "TCP", targetPort: port })),
    selector: {},
    affinity: 0,
    publishNotReadyAddresses: false,
  };
}

/** A directory whose services the test changes. */
class FakeDirectory {
  #listeners = new Set<() => void>();
  current: readonly Service[];
  constructor(...services: readonly Service[]) {
    this.current = services;
  }
  services() {
    return this.current;
  }
  onChange(listener: () => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  change(...services: readonly Service[]) {
    this.current = services;
    this.#listeners.forEach((listener) => listener());
  }
}

/** A system that opens every port but those that `refuse` names a code for. */
function fakeSystem(refuse: (host: string, port: number) => string | undefined = () => undefined) {
  const open = new Set<string>();
  const openPort: typeof openLocalPort = ({ host, port }) => {
    const key = `${host}:${port}`;
    const code = open.has(key) ? "EADDRINUSE" : refuse(host, port);
    if (code) return Promise.reject(Object.assign(new Error(code), { code }));
    open.add(key);
    return Promise.resolve({
      host,
      port,
      connections: 0,
      traffic: { sent: 0, received: 0 },
      close() {
        open.delete(key);
        return Promise.resolve();
      },
    });
  };
  return { open, openPort };
}

describe("openServiceListeners", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const open = (
    directory: FakeDirectory,
    system: ReturnType<typeof fakeSystem>,
    changes: Partial<ServiceListenersDeps> = {},
  ) =>
    openServiceListeners({
      directory,
      dialer: { dial: () => Promise.reject(new Error("not in this test")) },
      log: silentLog,
      warnings: silentLog,
      context: "kind",
      cacheFile: `${root}/listeners.json`,
      openPort: system.openPort,
      ...changes,
    });

  it("gives each service an address of its own with the real ports, the same every time", async () => {
    const directory = new FakeDirectory(service("mysql", [3306]), service("web", [80, 443, 53]));
    const seen = [];
    for (let run = 0; run < 2; run++) {
      const listeners = await open(directory, fakeSystem());
      const list = listeners.list();
      assertEquals(list.map(({ service, port, localPort }) => [service, port, localPort]), [
        ["mysql", 3306, 3306],
        ["web", 443, 443],
        ["web", 80, 80],
      ]);
      for (const { address } of list) assertMatch(address, /^127\.77\.\d+\.\d+$/);
      assertEquals(list[1]!.address, list[2]!.address);
      assertNotEquals(list[0]!.address, list[1]!.address);
      seen.push(list);
      await listeners.close();
    }
    assertEquals(seen[0], seen[1]);
  });

  it("keeps two services apart even where their names fall on one address", async () => {
    const many = Array.from({ length: 3000 }, (_, at) => service(`s${at}`, [80]));
    const listeners = await open(new FakeDirectory(...many), fakeSystem());
    const addresses = listeners.list().map(({ address }) => address);
    assertEquals(new Set(addresses).size, 3000);
    assertEquals(addresses.filter((address) => /\.(0|255)$/.test(address)), []);
    await listeners.close();
  });

  it("uses 127.0.0.1 with a lasting port where the system knows no other address", async () => {
    const mac = () => fakeSystem((host) => host === "127.0.0.1" ? undefined : "EADDRNOTAVAIL");
    const directory = new FakeDirectory(service("mysql", [3306]));
    const first = await open(directory, mac());
    const [listener] = first.list();
    assertEquals(listener!.address, "127.0.0.1");
    assertEquals(first.addressOf(directory.current[0]!), undefined);
    await first.close();
    // The port of last time counts even where names alone would give another.
    await Deno.writeTextFile(`${root}/listeners.json`, JSON.stringify({ "kind/dev/mysql:3306": 25555 }));
    const second = await open(directory, mac());
    assertEquals(second.list()[0]!.localPort, 25555);
    await second.close();
  });

  it("uses another port where the one of last time is taken, and remembers it", async () => {
    await Deno.writeTextFile(
      `${root}/listeners.json`,
      JSON.stringify({ "kind/dev/mysql:3306": 29999, "x/y/z:1": 20001 }),
    );
    const taken = fakeSystem((host, port) =>
      host !== "127.0.0.1" ? "EACCES" : port === 29999 ? "EADDRINUSE" : undefined
    );
    const listeners = await open(new FakeDirectory(service("mysql", [3306])), taken);
    assertEquals(listeners.list()[0]!.localPort, 20000);
    await listeners.close();
  });

  it("moves only the ports that are refused", async () => {
    const linux = fakeSystem((_, port) => port < 1024 ? "EACCES" : undefined);
    const directory = new FakeDirectory(service("web", [80, 8080]));
    const listeners = await open(directory, linux);
    const list = listeners.list();
    assertEquals(list.map(({ port, localPort }) => port === localPort), [false, true]);
    // One host names both.
    assertMatch(list[0]!.address, /^127\.77\./);
    assertEquals(list[0]!.address, list[1]!.address);
    assertEquals(listeners.addressOf(directory.current[0]!), undefined);
    await listeners.close();
  });

  it("follows services as they come and go", async () => {
    const system = fakeSystem();
    const directory = new FakeDirectory(service("a", [1]));
    let changes = Promise.withResolvers<void>();
    const listeners = await open(directory, system, { onChange: () => changes.resolve() });
    changes = Promise.withResolvers<void>();
    directory.change(service("b", [2]));
    await changes.promise;
    assertEquals(listeners.list().map(({ service }) => service), ["b"]);
    assertEquals(system.open.size, 1);
    await listeners.close();
    assertEquals(system.open.size, 0);
    directory.change(service("c", [3]));
    assertEquals(system.open.size, 0);
  });

  it("knows what its addresses stand for", async () => {
    const listeners = await open(new FakeDirectory(service("mysql", [3306])), fakeSystem());
    const { address } = listeners.list()[0]!;
    assertEquals(listeners.targetOf({ host: address, port: 3306 }), { host: "mysql.dev", port: 3306 });
    assertEquals(listeners.targetOf({ host: address, port: 1 }), undefined);
    await listeners.close();
  });

  it("tells why a connection cannot be had, and of which port, as something that may come again", async () => {
    const told: string[][] = [];
    const system = fakeSystem();
    const listeners = await open(new FakeDirectory(service("mysql", [3306])), system, {
      openPort: (where, deps) => {
        deps.onFailure(new Error("no pod"));
        return system.openPort(where, deps);
      },
      warnings: { warn: (...words) => void told.push(words) },
    });
    assertEquals(told, [["mysql.dev:3306", "mysql.dev:3306: no pod"]]);
    await listeners.close();
  });

  it("begins anew with a cache that is none", async () => {
    for (const text of ["", "null", "[1]", '{"kind/dev/mysql:3306": "x"}']) {
      await Deno.writeTextFile(`${root}/listeners.json`, text);
      const listeners = await open(new FakeDirectory(service("mysql", [3306])), fakeSystem());
      assertEquals(listeners.list().length, 1);
      await listeners.close();
    }
  });
});
