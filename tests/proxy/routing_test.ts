import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Lookup } from "../../src/cluster/directory.ts";
import { Router, type RouterDeps, type RouterOptions } from "../../src/proxy/routing.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { type Dialer, DialError, type Target } from "../../src/tunnel/dialer.ts";

const signal = new AbortController().signal;

/** Stands for a stream in tests that look at the way only. */
class Arrived implements Duplex {
  constructor(readonly by: string, readonly target: Target) {}
  read(): Promise<null> {
    return Promise.resolve(null);
  }
  write(): Promise<void> {
    return Promise.resolve();
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  reset(): void {}
  close(): void {}
}

const dialer = (by: string): Dialer => ({ dial: (target) => Promise.resolve(new Arrived(by, target)) });

/** What the directory of these tests knows; everything else is foreign. */
const known: Readonly<Record<string, Lookup>> = {
  orders: { kind: "pod", pod: {} as never },
  "10.96.0.7": { kind: "pod", pod: {} as never },
  "127.0.0.1": { kind: "pod", pod: {} as never },
  "169.254.169.254": { kind: "pod", pod: {} as never },
  "db.corp": { kind: "pod", pod: {} as never },
  dev: { kind: "empty" },
  "nope.dev": { kind: "missing", message: 'Namespace "dev" has no service "nope"' },
  "react.dev": { kind: "missing", message: 'Namespace "dev" has no service "react"', mayBeForeign: true },
  "example.com": { kind: "forbidden", message: 'You may not get services in "com"', mayBeForeign: true },
  "orders.slow": { kind: "foreign", unanswered: true },
  "x.secret": { kind: "forbidden", message: 'You may not list services in "secret"' },
};

function router(options: RouterOptions = {}, deps: Partial<RouterDeps> = {}): Router {
  return new Router(options, {
    directory: { namespace: "dev", lookup: (host) => Promise.resolve(known[host] ?? { kind: "foreign" }) },
    cluster: dialer("cluster"),
    direct: { route: (target) => ({ via: "direct", dial: (options) => dialer("direct").dial(target, options) }) },
    ...deps,
  });
}

async function way(host: string, ...args: Parameters<typeof router>): Promise<string> {
  const stream = await router(...args).dial({ host, port: 80 }, { signal });
  return (stream as Arrived).by;
}

describe("Router", () => {
  it("sends what the directory knows to the cluster and the rest directly", async () => {
    assertEquals(await way("orders"), "cluster");
    assertEquals(await way("10.96.0.7"), "cluster");
    assertEquals(await way("example.org"), "direct");
  });

  it("sends what is excluded directly, even when the cluster knows it", async () => {
    assertEquals(await way("db.corp", { exclude: ["*.corp"] }), "direct");
    assertEquals(await way("10.96.0.7", { exclude: ["10.0.0.0/8"] }), "direct");
    assertEquals(await way("nope.dev", { exclude: ["nope.dev"] }), "direct");
  });

  it("sends included hosts through the relay, unless the cluster knows them by itself", async () => {
    const options = { include: ["*.internal", "orders", "10.0.0.0/8"] };
    assertEquals(await way("db.internal", options, { relay: dialer("relay") }), "relay");
    assertEquals(await way("10.1.2.3", options, { relay: dialer("relay") }), "relay");
    assertEquals(await way("orders", options, { relay: dialer("relay") }), "cluster");
    const error = await assertRejects(() => way("db.internal", options), DialError, "--relay");
    assertEquals(error.kind, "unsupported");
  });

  it("never sends loopback or link-local to the cluster or the relay", async () => {
    const hosts = [
      "localhost",
      "a.localhost",
      "127.0.0.1",
      "127.9.9.9",
      "::1",
      "0.0.0.0",
      "::",
      "169.254.169.254",
      "fe80::1",
    ];
    for (const host of hosts) {
      assertEquals(await way(host, { include: ["*"] }, { relay: dialer("relay") }), "direct", host);
    }
  });

  it("recognises the tool's own addresses as the services they stand for", async () => {
    const local = ({ host }: Target) =>
      host === "127.77.0.1" ? { host: "mysql.dev.svc.cluster.local", port: 3306 } : undefined;
    const stream = await router({}, { local }).dial({ host: "127.77.0.1", port: 80 }, { signal });
    assertEquals((stream as Arrived).by, "cluster");
    assertEquals((stream as Arrived).target, { host: "mysql.dev.svc.cluster.local", port: 3306 });
    assertEquals(await way("127.77.0.2", {}, { local }), "direct");
  });

  it("refuses what is the cluster's but not there, or not to be seen", async () => {
    for (
      const [host, kind, words] of [
        ["nope.dev", "unknown", 'no service "nope"'],
        ["dev", "unknown", "without an address"],
        ["x.secret", "forbidden", "may not list"],
      ] as const
    ) {
      const error = await assertRejects(() => way(host), DialError, words);
      assertEquals(error.kind, kind);
    }
  });

  it("tries a name that may be somebody else's directly, and says what the cluster knows of it where nobody has it", async () => {
    assertEquals(await way("react.dev"), "direct");
    assertEquals(await way("react.dev", { include: ["react.dev"] }, { relay: dialer("relay") }), "relay");
    const direct: RouterDeps["direct"] = {
      route: () => ({ via: "direct", dial: () => Promise.reject(new DialError("unknown", "no such name in DNS")) }),
    };
    const error = await assertRejects(() => way("react.dev", {}, { direct }), DialError, 'no service "react"');
    assertEquals(error.kind, "unknown");
    const closed = await assertRejects(() => way("example.com", {}, { direct }), DialError);
    assertEquals(closed.kind, "forbidden");
    assertEquals(
      closed.message,
      'You may not get services in "com". As a name outside the cluster, "example.com" is unknown to this machine\'s DNS',
    );
  });

  it("marks the direct way to a host that may be meant as one of the cluster's", async () => {
    const marked = async (host: string) => (await router().route({ host, port: 443 }, "https", signal)).ifUnknown?.kind;
    assertEquals(await marked("orderz"), "unknown");
    assertEquals(await marked("react.dev"), "unknown");
    assertEquals(await marked("orders.slow"), "unreachable");
    for (const host of ["nosuch.example.org", "192.0.2.7", "localhost", "orders"]) {
      assertEquals(await marked(host), undefined);
    }
  });

  it("does not call a name unknown of which the API server does not say in time whether it is the cluster's", async () => {
    const direct: RouterDeps["direct"] = {
      route: () => ({ via: "direct", dial: () => Promise.reject(new DialError("unknown", "no such name in DNS")) }),
    };
    assertEquals(await way("orders.slow"), "direct");
    const error = await assertRejects(() => way("orders.slow", {}, { direct }), DialError, "did not say in time");
    assertEquals(error.kind, "unreachable");
  });

  it("says of a private address that leads nowhere that it may be the cluster's", async () => {
    const direct: RouterDeps["direct"] = {
      route: () => ({
        via: "direct",
        dial: () => Promise.reject(new DialError("unreachable", "no route to the host")),
      }),
    };
    const error = await assertRejects(() => way("10.96.3.4", {}, { direct }), DialError, "use its name");
    assertEquals(error.kind, "unreachable");
    const outside = await assertRejects(() => way("example.org", {}, { direct }), DialError);
    assertEquals(outside.message, "no route to the host");
  });

  it("says that neither the cluster nor this machine knows a name", async () => {
    const direct: RouterDeps["direct"] = {
      route: () => ({ via: "direct", dial: () => Promise.reject(new DialError("unknown", "no such name in DNS")) }),
    };
    const short = await assertRejects(() => way("mysqll", {}, { direct }), DialError);
    assertStringIncludes(short.message, '"mysqll" is no service of namespace "dev"');
    const long = await assertRejects(() => way("a.b.c", {}, { direct }), DialError);
    assertStringIncludes(long.message, '"a.b.c" is no name of the cluster');
    assertEquals([short.kind, long.kind], ["unknown", "unknown"]);
  });

  it("calls a look-up that fails unreachable, with the reason", async () => {
    const directory = { namespace: "dev", lookup: () => Promise.reject(new Error("API server gone")) };
    const error = await assertRejects(() => way("orders", {}, { directory }), DialError, "API server gone");
    assertEquals(error.kind, "unreachable");
  });

  it("quotes a pattern that is none at once", () => {
    assertThrows(() => router({ exclude: ["10.0.0.0/99"] }), TypeError, '"10.0.0.0/99"');
  });
});
