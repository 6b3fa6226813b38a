import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import { openDirectory } from "../../src/cluster/open_directory.ts";
import { choosePorts } from "../../src/inbound/choose_ports.ts";
import { earlierConnections } from "../../src/inbound/earlier_connections.ts";
import { parseExpose } from "../../src/inbound/expose.ts";
import { planAgent } from "../../src/inbound/plan.ts";
import { readService } from "../../src/inbound/read_service.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { FakeClock, settled } from "../fake_clock.ts";
import type { ExecProgram } from "../practice/exec.ts";
import type { KubeObject } from "../practice/kube_object.ts";
import { type Practice, startPractice } from "../practice/practice.ts";

const never = new AbortController().signal;

/** A table as Linux prints it, of connections to `local` on any port. */
function table(
  local: string,
  connections: readonly (readonly [remote: string, port: number, state?: string])[],
): string {
  const hex = (ip: string) => Uint8Array.from(ip.split(".").reverse(), Number).toHex().toUpperCase();
  const port = (number: number) => number.toString(16).toUpperCase().padStart(4, "0");
  const lines = connections.map(([remote, to, state = "01"], at) =>
    `${at}: ${hex(local)}:${port(to)} ${hex(remote)}:D5A2 ${state} 00000000:00000000 00:00000000 00000000 0 0 1 1`
  );
  return ["  sl  local_address rem_address   st", ...lines, ""].join("\n");
}

interface RunningPod extends KubeObject {
  readonly status: { readonly podIP: string; readonly hostIP: string };
}

describe("earlierConnections", () => {
  let practice: Practice;
  let folder: string;
  let program: ExecProgram;
  let asked: string[];

  beforeAll(async () => {
    practice = await startPractice({
      exec(pod, command) {
        asked.push(`${pod.container}: ${command.join(" ")}`);
        return program(pod, command);
      },
    });
    const ports = [{ name: "web", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }];
    await practice.addService({ namespace: "dev", name: "orders", ports, replicas: 2 });
    await practice.addService({ namespace: "dev", name: "gateway", ports: [{ port: 80 }] });
    await practice.addService({ namespace: "shop", name: "batch", ports: [{ port: 80 }] });
    const anything = (...resources: string[]) => ({ apiGroups: ["*"], resources, verbs: ["*"] });
    const rules = [anything("services", "pods", "endpointslices"), anything("selfsubjectaccessreviews")];
    await practice.addUser({ name: "no-exec", rules });
    folder = await Deno.makeTempDir({ prefix: "hawser-" });
  });
  afterAll(async () => {
    await practice.stop();
    await Deno.remove(folder, { recursive: true });
  });

  function podsOf(namespace: string, app: string): RunningPod[] {
    return practice.list<RunningPod>("pods", namespace).filter(({ metadata }) => metadata.labels?.app === app);
  }

  /** Looks with a user's rights, at the port `web`. */
  async function look(user: string, said: ExecProgram, clock: Clock = systemClock) {
    program = said;
    asked = [];
    await Deno.writeTextFile(`${folder}/kubeconfig`, practice.kubeconfig(user, { namespace: "dev" }));
    const access = await openAccess({ kubeconfig: `${folder}/kubeconfig` });
    const api = openApi(access);
    const directory = await openDirectory(api, { namespace: "dev" }, { clock: systemClock, log: silentLog });
    try {
      const plan = planAgent(await readService("dev", "orders", api, never));
      const ports = choosePorts("orders", plan.ports, [parseExpose("8080:web")]);
      return await earlierConnections({ plan, ports }, { api, access, directory, clock }, never);
    } finally {
      directory.close();
      api.close();
    }
  }

  it("says which pods hold connections to the exposed port, and leaves out probes, port-forwards and other ports", async () => {
    const [orders] = podsOf("dev", "orders"), [gateway] = podsOf("dev", "gateway"), [batch] = podsOf("shop", "batch");
    const [ip = "", node = "", near = "", far = ""] = [
      orders?.status.podIP,
      orders?.status.hostIP,
      gateway?.status.podIP,
      batch?.status.podIP,
    ];
    const found = await look(
      "admin",
      ({ name }) =>
        name !== orders?.metadata.name ? table("10.244.0.250", [[near, 8080]]) : table(ip, [
          ...[1, 2, 3].map(() => [near, 8080] as const),
          [far, 8080],
          ["203.0.113.9", 8080],
          [near, 7000],
          [near, 8080, "06"],
          [node, 8080],
          ["127.0.0.1", 8080],
          [ip, 8080],
        ]),
    );
    assertEquals(found, {
      count: 6,
      callers: [
        { name: gateway?.metadata.name ?? "", count: 4 },
        { name: "203.0.113.9, no pod", count: 1 },
        { name: `${batch?.metadata.name} in shop`, count: 1 },
      ],
      partial: false,
    });
    assertEquals(asked, Array(2).fill("orders: cat /proc/net/tcp /proc/net/tcp6"));
  });

  it("says that there may be more where it could not look into all pods", async () => {
    const [orders] = podsOf("dev", "orders");
    const found = await look(
      "admin",
      ({ name }) => name === orders?.metadata.name ? table("10.0.0.1", [["203.0.113.9", 8080]]) : undefined,
    );
    assertEquals(found, { count: 1, callers: [{ name: "203.0.113.9, no pod", count: 1 }], partial: true });
  });

  it("tells none from not to be known: no connection, no `cat`, no right", async () => {
    assertEquals(await look("admin", () => table("10.0.0.1", [])), { count: 0, callers: [], partial: false });
    assertEquals(await look("admin", () => undefined), undefined);
    assertEquals(await look("no-exec", () => table("10.0.0.1", [])), undefined);
    assertEquals(asked, []);
  });

  it("reads no more than so much of a pod", async () => {
    const many = Array.from({ length: 20_000 }, () => ["203.0.113.9", 8080] as const);
    const found = await look(
      "admin",
      ({ name }) => table("10.0.0.1", name === podsOf("dev", "orders")[0]?.metadata.name ? many : []),
    );
    const count = found?.count ?? 0;
    assertEquals(count > 5_000 && count < 20_000, true, `${count} of 20000`);
  });

  it("waits 2 s for a pod that does not answer, and not longer", async () => {
    const clock = new FakeClock();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const looking = look("admin", () => promise, clock);
    while (asked?.length !== 2) await settled();
    await clock.advance(2_000);
    assertEquals(await looking, undefined);
    resolve(undefined);
  });
});
