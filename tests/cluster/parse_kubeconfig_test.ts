import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { join, resolve } from "node:path";
import { AccessError } from "../../src/cluster/access.ts";
import { parseKubeconfig } from "../../src/cluster/parse_kubeconfig.ts";

const folder = resolve("folder");
const file = join(folder, "config");

function userOf(fields: Record<string, unknown>) {
  const text = JSON.stringify({ users: [{ name: "me", user: fields }] });
  return parseKubeconfig(text, file).then((config) => config.users.get("me")!);
}

describe("parseKubeconfig", () => {
  it("takes an empty text, or one of comments, for an empty configuration", async () => {
    for (const text of ["", "\n\n", "# nothing\n---\n  # here", "apiVersion: v1\nkind: Config\n"]) {
      const config = await parseKubeconfig(text, file);
      assertEquals([config.contexts.size, config.clusters.size, config.users.size, config.currentContext], [
        0,
        0,
        0,
        "",
      ]);
    }
  });

  it("reads every field of a cluster", async () => {
    const config = await parseKubeconfig(
      `clusters:
- name: prod
  cluster:
    server: https://api:6443/prefix
    certificate-authority: ca.pem
    certificate-authority-data: QUFB
    insecure-skip-tls-verify: true
    tls-server-name: kubernetes
    proxy-url: socks5://proxy:1080
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: { audience: prod }
`,
      file,
    );
    assertEquals(config.clusters.get("prod"), {
      name: "prod",
      server: "https://api:6443/prefix",
      certificateAuthority: { kind: "data", base64: "QUFB" },
      insecureSkipTlsVerify: true,
      tlsServerName: "kubernetes",
      proxyUrl: "socks5://proxy:1080",
      execConfig: { audience: "prod" },
    });
  });

  it("reads every field of an exec section", async () => {
    const user = await userOf({
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "./bin/login",
        args: ["--cluster", "x"],
        env: [{ name: "REGION", value: "north" }],
        installHint: "get it",
        provideClusterInfo: true,
        interactiveMode: "Never",
      },
    });
    assertEquals(user.exec, {
      apiVersion: "client.authentication.k8s.io/v1",
      command: join(folder, "bin", "login"),
      args: ["--cluster", "x"],
      env: [{ name: "REGION", value: "north" }],
      installHint: "get it",
      provideClusterInfo: true,
      interactiveMode: "Never",
    });
  });

  it("leaves an exec command without a folder to PATH, and absolute paths alone", async () => {
    assertEquals((await userOf({ exec: { command: "aws" } })).exec?.command, "aws");
    const absolute = resolve("bin", "aws");
    assertEquals((await userOf({ exec: { command: absolute } })).exec?.command, absolute);
  });

  it("takes token and certificate files from the folder of the file", async () => {
    const user = await userOf({ tokenFile: "token", "client-certificate": "me.crt", "client-key": "me.key" });
    assertEquals(user.tokenFile, join(folder, "token"));
    assertEquals(user.clientCertificate, { kind: "file", path: join(folder, "me.crt") });
    assertEquals(user.clientKey, { kind: "file", path: join(folder, "me.key") });
  });

  it("reads whom to impersonate", async () => {
    const user = await userOf({
      as: "bob",
      "as-uid": "7",
      "as-groups": ["dev"],
      "as-user-extra": { scope: ["a", "b"] },
    });
    assertEquals(user.impersonate, { user: "bob", uid: "7", groups: ["dev"], extra: { scope: ["a", "b"] } });
  });

  it("names line and column of a fault in the YAML, and quotes nothing around it", async () => {
    const text = "users:\n- name: me\n  user:\n    token: very-secret\n   bad: [\n";
    const error = await assertRejects(() => parseKubeconfig(text, file), AccessError);
    assertStringIncludes(error.message, file);
    assertStringIncludes(error.message, "line 5");
    assertFalse(error.message.includes("very-secret"));
    assertFalse(String(error.stack).includes("very-secret"));
  });

  it("names the field that has a wrong type", async () => {
    const cases: [string, string][] = [
      ["users: 3", "users must be a list"],
      ["users: [3]", "users[0] must be a group of fields"],
      ["contexts:\n- name: 12", "contexts[0].name must be text"],
      ["clusters:\n- name: a\n  cluster: { server: [] }", "clusters[0].cluster.server must be text"],
      [
        "clusters:\n- name: a\n  cluster: { insecure-skip-tls-verify: 1 }",
        "insecure-skip-tls-verify must be true or false",
      ],
      ["users:\n- name: a\n  user: { exec: { args: [1] } }", "users[0].user.exec.args must be a list of texts"],
      ["kind: Pod", 'holds a "Pod"'],
      ["- a", "not a kubeconfig"],
      ["just text", "not a kubeconfig"],
    ];
    for (const [text, words] of cases) {
      await assertRejects(() => parseKubeconfig(text, file), AccessError, words);
    }
  });

  it("has an answer for every text", async () => {
    const yaml = fc.array(
      fc.constantFrom(
        "users:",
        "- name: a",
        "  user:",
        " {",
        "}",
        "[",
        "]",
        ": ",
        "\n",
        "\t",
        "&a",
        "*a",
        "!!js",
        "---",
        "#",
        "'",
        '"',
      ),
      { maxLength: 30 },
    )
      .map((parts) => parts.join(""));
    await fc.assert(fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), yaml), async (text) => {
      try {
        await parseKubeconfig(text, file);
      } catch (error) {
        assert(error instanceof AccessError, String(error));
      }
    }));
  });

  it("has an answer for every JSON under the known names", async () => {
    const name = fc.constantFrom(
      "users",
      "user",
      "name",
      "exec",
      "env",
      "args",
      "clusters",
      "cluster",
      "extensions",
      "auth-provider",
      "config",
      "as-user-extra",
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "large" },
        fc.constantFrom(null, true, 1, "text"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(name, tie("tree"), { maxKeys: 6 }),
      ),
    }));
    await fc.assert(fc.asyncProperty(tree, async (value) => {
      try {
        await parseKubeconfig(JSON.stringify(value), file);
      } catch (error) {
        assert(error instanceof AccessError, String(error));
      }
    }));
  });
});
