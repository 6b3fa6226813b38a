import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { checkPermissions } from "../../../src/cli/doctor/check_permissions.ts";
import { openAccess } from "../../../src/cluster/open_access.ts";
import { openApi } from "../../../src/cluster/open_api.ts";
import { startPractice } from "../../practice/practice.ts";

describe("checkPermissions", () => {
  it("warns where only watching is not allowed, which connect, run and forward do without", async () => {
    await using practice = await startPractice();
    await practice.addUser({
      name: "reader",
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "create"] }],
    });
    const kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
    await Deno.writeTextFile(kubeconfig, practice.kubeconfig("reader"));
    const api = openApi(await openAccess({ kubeconfig }));
    try {
      const states = async (...agents: ["exchange"] | []) => {
        const findings = await checkPermissions(api, "default", agents, new AbortController().signal);
        return findings.filter(({ state }) => state !== "ok").map(({ subject, state }) => `${subject} ${state}`);
      };
      assertEquals(await states(), ["services warn", "endpointslices warn", "pods warn"]);
      assertEquals((await states("exchange")).slice(0, 3), ["services fail", "endpointslices warn", "pods fail"]);
    } finally {
      api.close();
      await Deno.remove(kubeconfig);
    }
  });

  it("tells each kind once, with all verbs that are missing, and what is lost where it goes without", async () => {
    await using practice = await startPractice();
    await practice.addUser({
      name: "reader",
      rules: [{ apiGroups: ["", "apps"], resources: ["*"], verbs: ["get", "list", "watch"] }],
    });
    const kubeconfig = await Deno.makeTempFile({ prefix: "hawser-", suffix: ".json" });
    await Deno.writeTextFile(kubeconfig, practice.kubeconfig("reader"));
    const api = openApi(await openAccess({ kubeconfig }));
    try {
      const findings = await checkPermissions(api, "dev", ["exchange"], new AbortController().signal);
      const subjects = findings.map(({ subject }) => subject);
      assertEquals(subjects, [...new Set(subjects)]);
      const of = (wanted: string) => {
        const { state, what } = findings.find(({ subject }) => subject === wanted)!;
        return [state, what];
      };
      assertEquals(of("services"), ["fail", "not allowed: create, patch"]);
      assertEquals(of("pods"), ["ok", "get, list, watch"]);
      assertEquals(of("deployments"), ["fail", "not allowed: create, patch, delete"]);
      assertEquals(of("statefulsets"), [
        "warn",
        "not allowed: patch; exchange --cut cannot restart a statefulset",
      ]);
    } finally {
      api.close();
      await Deno.remove(kubeconfig);
    }
  });
});
