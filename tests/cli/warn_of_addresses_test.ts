import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { warnOfAddresses } from "../../src/cli/warn_of_addresses.ts";
import type { Route } from "../../src/proxy/route.ts";
import { DialError, type DialOptions, type Target } from "../../src/tunnel/dialer.ts";
import { FakeClock } from "../fake_clock.ts";
import { duplexPair } from "../stream/duplex_pair.ts";

const unknown = new DialError("unknown", '"nosuch" is no service');
const never = new AbortController().signal;

/** A cluster with `orders`, a service `down` without pods and `slow`, which never answers; printers are outside, and off. */
function stage() {
  const told: string[] = [];
  const dialled: Target[] = [];
  const clock = new FakeClock();
  const ways: Record<string, () => Promise<never> | undefined> = {
    down: () => Promise.reject(new DialError("not-ready", 'Service "down" has no ready pod')),
    nosuch: () => Promise.reject(unknown),
    printer: () => Promise.reject(new DialError("refused", "nobody listens there")),
  };
  const router = {
    route(target: Target): Promise<Route> {
      const { host } = target;
      if (host === "nope.dev") return Promise.reject(new DialError("unknown", 'Namespace "dev" has no service "nope"'));
      return Promise.resolve({
        via: ["orders", "down", "slow", "::1"].includes(host) ? "cluster" : "direct",
        ifUnknown: ["nosuch", "printer"].includes(host) ? unknown : undefined,
        dial: ({ signal }: DialOptions) => {
          dialled.push(target);
          if (signal.aborted) return Promise.reject(signal.reason);
          if (host === "slow") {
            return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          }
          return ways[host]?.() ?? Promise.resolve(duplexPair()[0]);
        },
      });
    },
  };
  return { told, dialled, clock, deps: { router, clock, log: { warn: (message: string) => void told.push(message) } } };
}

describe("warnOfAddresses", () => {
  it("tells of services that are not there or have no pod, and of nothing else", async () => {
    const { told, deps } = stage();
    const hosts = ["orders", "down", "nosuch", "nope.dev", "printer", "example.org"];
    await warnOfAddresses(hosts.map((host) => `http://${host}/`), deps, never);
    assertEquals(told.toSorted(), [
      unknown.message,
      'Namespace "dev" has no service "nope"',
      'Service "down" has no ready pod',
    ]);
  });

  it("tries the port of the address, and connects to nothing outside", async () => {
    const { dialled, deps } = stage();
    const hrefs = ["http://orders/", "https://orders/", "http://orders:8080/a", "http://[::1]/", "http://example.org/"];
    await warnOfAddresses(hrefs, deps, never);
    assertEquals(dialled.map(({ host, port }) => `${host} ${port}`), [
      "orders 80",
      "orders 443",
      "orders 8080",
      "::1 80",
    ]);
  });

  it("does not keep a browser waiting for more than 3 s, and ends when interrupted", async () => {
    const { told, clock, deps } = stage();
    const looking = warnOfAddresses(["http://slow/"], deps, never);
    await clock.advance(3_000);
    await looking;
    assertEquals(told, []);
    const interrupted = new AbortController();
    const cut = warnOfAddresses(["http://slow/"], deps, interrupted.signal);
    interrupted.abort(new Error("interrupted"));
    await assertRejects(() => cut, Error, "interrupted");
  });
});
