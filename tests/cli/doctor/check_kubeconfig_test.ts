import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { checkKubeconfig } from "../../../src/cli/doctor/check_kubeconfig.ts";
import { runMain } from "../fake_deps.ts";

describe("checkKubeconfig", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  /** A kubeconfig whose only user is this one; without a user where it is undefined. */
  async function kubeconfigOf(user: Readonly<Record<string, unknown>> | undefined): Promise<string> {
    const path = `${root}/kubeconfig`;
    await Deno.writeTextFile(
      path,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "kind",
        contexts: [{ name: "kind", context: { cluster: "kind", ...user && { user: "me" } } }],
        clusters: [{ name: "kind", cluster: { server: "https://127.0.0.1:1", "certificate-authority": "gone.crt" } }],
        users: user ? [{ name: "me", user }] : [],
      }),
    );
    return path;
  }

  async function credentials(user: Readonly<Record<string, unknown>> | undefined): Promise<string> {
    const findings = await checkKubeconfig({ kubeconfig: await kubeconfigOf(user) }, {});
    const found = findings.find(({ subject }) => subject === "credentials");
    return `${found?.state}: ${found?.what}`;
  }

  it("tells kinds of credentials, and where there are none", async () => {
    assertEquals(await credentials({ token: "t0p secret" }), "ok: me: token");
    const anonymous = 'the API server will take you for "system:anonymous"';
    assertEquals(await credentials({}), `warn: user "me" has none: ${anonymous}`);
    assertEquals(await credentials(undefined), `warn: the context names no user: ${anonymous}`);
  });

  it("is part of what doctor finds, though there is none or it cannot be used", async () => {
    const none = await runMain(["doctor", "-o", "json"], { root });
    const { findings } = JSON.parse(none.out);
    assertEquals([none.status, none.err, findings[0].subject, findings[0].state], [1, "", "kubeconfig", "fail"]);
    assertStringIncludes(findings[0].what, "There is no kubeconfig (looked at ");

    const unusable = await runMain(["doctor", "-o", "json", "--kubeconfig", await kubeconfigOf({ token: "x" })], {
      root,
    });
    assertEquals([unusable.status, unusable.err], [1, ""]);
    assertStringIncludes(unusable.out, "gone.crt");
  });
});
