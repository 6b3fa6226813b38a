import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { warnWithoutTunnels } from "../../src/cli/warn_without_tunnels.ts";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import { silentLog } from "../../src/platform/log.ts";
import { until } from "../fake_clock.ts";
import { startPractice } from "../practice/practice.ts";

describe("warnWithoutTunnels", () => {
  it("tells who may look and not connect what to ask for, and nobody else anything", async () => {
    await using practice = await startPractice();
    const rules = [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] }];
    await practice.addUser({ name: "onlooker", rules });
    const kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
    const told: string[] = [];
    const log = { ...silentLog, event: (message: string) => void told.push(message) };
    try {
      for (const user of ["admin", "onlooker"]) {
        await Deno.writeTextFile(kubeconfig, practice.kubeconfig(user, { namespace: "dev" }));
        const access = await openAccess({ kubeconfig });
        const api = openApi(access);
        const answered = () => practice.counters.requests.filter(({ status }) => status === 201).length;
        const before = answered();
        const stop = warnWithoutTunnels({ access, api }, { log });
        await until(() => answered() === before + 2 && (user === "admin" || told.length > 0), "the answers");
        stop();
        api.close();
      }
    } finally {
      await Deno.remove(kubeconfig);
    }
    assertEquals(told, [
      'You may not connect to pods of namespace "dev": ask for create on pods/portforward; hawser doctor --rbac -n dev prints the Role',
    ]);
  });
});
