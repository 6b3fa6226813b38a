import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import type { CommandWithRights } from "../../src/cluster/permissions.ts";
import { checkRights } from "../../src/inbound/check_rights.ts";
import { Failure } from "../../src/platform/failure.ts";
import { startPractice } from "../practice/practice.ts";

const never = new AbortController().signal;

describe("checkRights", () => {
  it("names each verb that is missing, the scope, and what to ask for", async () => {
    await using practice = await startPractice();
    await practice.addUser({
      name: "reader",
      rules: [{ apiGroups: ["", "apps"], resources: ["*"], verbs: ["get", "list", "watch"] }],
    });
    const kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
    await Deno.writeTextFile(kubeconfig, practice.kubeconfig("reader"));
    const api = openApi(await openAccess({ kubeconfig }));
    try {
      const refused = async (command: CommandWithRights, namespace: string | undefined) => {
        const { message } = await assertRejects(() => checkRights(command, namespace, api, never), Failure);
        return message.replaceAll(/.*do not have: /g, "");
      };
      assertEquals(
        await refused("clean --dry-run", undefined),
        "list on leases.coordination.k8s.io. Nothing was changed. In one namespace a Role is enough: hawser clean --dry-run -n NAMESPACE",
      );
      const scale = await refused("exchange --mode scale", "dev");
      assertEquals(
        ["list on horizontalpodautoscalers.autoscaling", "patch on deployments.apps/scale"].every((each) =>
          scale.includes(each)
        ),
        true,
        scale,
      );
      assertEquals(scale.split("prints: ")[1], "hawser doctor --rbac --inbound --scale -n dev");
    } finally {
      api.close();
      await Deno.remove(kubeconfig);
    }
  });
});
