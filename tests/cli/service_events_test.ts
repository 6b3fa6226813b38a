import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { tellServiceEvents } from "../../src/cli/service_events.ts";
import type { Directory, Endpoint, Service } from "../../src/cluster/directory.ts";
import { silentLog } from "../../src/platform/log.ts";
import { FakeClock } from "../fake_clock.ts";
import { endpoint, service } from "../dns/fake_directory.ts";

/** A namespace whose services come, go and change. */
class ChangingDirectory {
  readonly scene = new Map<Service, readonly Endpoint[]>();
  #listener = () => {};

  set(each: Service, ...endpoints: readonly Endpoint[]): void {
    this.scene.set(each, endpoints);
    this.#listener();
  }
  remove(each: Service): void {
    this.scene.delete(each);
    this.#listener();
  }
  view(): Pick<Directory, "services" | "endpoints" | "pods" | "onChange"> {
    return {
      services: () => [...this.scene.keys()],
      endpoints: (each) => Promise.resolve(this.scene.get(each) ?? []),
      pods: () => Promise.resolve([]),
      onChange: (listener) => {
        this.#listener = listener;
        return () => this.#listener = () => {};
      },
    };
  }
}

async function watch(run: (directory: ChangingDirectory, clock: FakeClock) => Promise<void>): Promise<string[]> {
  const events: string[] = [];
  const directory = new ChangingDirectory();
  const clock = new FakeClock();
  directory.set(orders, endpoint(["10.0.0.1"]));
  const stop = tellServiceEvents(directory.view(), {
    clock,
    log: { ...silentLog, event: (message) => events.push(message) },
  });
  await clock.advance(0);
  await run(directory, clock);
  stop();
  return events;
}

const orders = service("orders", { ports: [{ name: "", port: 80, protocol: "TCP", targetPort: 8080 }] });
const gone = endpoint(["10.0.0.1"], { ready: false });

describe("tellServiceEvents", () => {
  it("says that a service has lost its last ready pod, and that it has one again", async () => {
    const events = await watch(async (directory, clock) => {
      directory.set(orders, gone);
      await clock.advance(2000);
      directory.set(orders, endpoint(["10.0.0.2"]));
      await clock.advance(2000);
    });
    assertEquals(events.length, 2);
    assertStringIncludes(events[0] ?? "", 'Service "orders" in namespace "dev" has no ready');
    assertEquals(events[1], 'Service "orders" in namespace "dev" is ready again');
  });

  it("says nothing of what has settled again within a second", async () => {
    const events = await watch(async (directory, clock) => {
      directory.set(orders, gone);
      await clock.advance(500);
      directory.set(orders, endpoint(["10.0.0.2"]), gone);
      await clock.advance(2000);
    });
    assertEquals(events, []);
  });

  it("says that a service was deleted", async () => {
    const events = await watch(async (directory, clock) => {
      directory.remove(orders);
      await clock.advance(2000);
    });
    assertEquals(events, ['Service "orders.dev" was deleted']);
  });
});
