import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import type { ClusterEntry, ExecEntry } from "../../src/cluster/kubeconfig.ts";
import { type ExecDeps, runExecPlugin } from "../../src/cluster/run_exec_plugin.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { silentLog } from "../../src/platform/log.ts";
import { FakeClock } from "../fake_clock.ts";

const v1 = "client.authentication.k8s.io/v1";
const signal = new AbortController().signal;

const cluster: ClusterEntry = {
  name: "prod",
  server: "https://api.prod:6443",
  certificateAuthority: undefined,
  insecureSkipTlsVerify: false,
  tlsServerName: "kubernetes",
  proxyUrl: "",
  execConfig: { audience: "prod" },
};

/** A plugin that is a few lines of JavaScript, run by this very Deno. */
function plugin(code: string, options: Partial<ExecEntry> = {}): ExecEntry {
  return {
    apiVersion: v1,
    command: Deno.execPath(),
    args: ["eval", "--no-config", code],
    env: [],
    installHint: "",
    provideClusterInfo: false,
    interactiveMode: "IfAvailable",
    ...options,
  };
}

function answering(status: unknown, extra = ""): string {
  const credential = JSON.stringify({ kind: "ExecCredential", apiVersion: v1, status });
  return `${extra}; console.log(${JSON.stringify(credential)})`;
}

interface World {
  readonly deps: ExecDeps;
  /** What the plugin said to the person. */
  readonly said: () => string;
  /** Resolves with its first word. */
  readonly spoken: Promise<void>;
}

function world(overrides: Partial<ExecDeps> = {}): World {
  let said = "";
  const { promise: spoken, resolve } = Promise.withResolvers<void>();
  return {
    said: () => said,
    spoken,
    deps: {
      env: Deno.env.toObject(),
      clock: systemClock,
      log: silentLog,
      os: Deno.build.os,
      interactive: false,
      stderr: (bytes) => {
        said += new TextDecoder().decode(bytes);
        resolve();
      },
      ...overrides,
    },
  };
}

function run(exec: ExecEntry, deps: ExecDeps = world().deps, ca?: string) {
  return runExecPlugin({ exec, user: "me", cluster, ca }, deps, signal);
}

describe("runExecPlugin", () => {
  it("takes a token and the time it is good for", async () => {
    const status = { token: "abc\n", expirationTimestamp: "2030-01-02T03:04:05Z" };
    assertEquals(await run(plugin(answering(status))), {
      token: "abc",
      certificate: undefined,
      expires: Date.UTC(2030, 0, 2, 3, 4, 5),
    });
  });

  it("takes a client certificate without end", async () => {
    const status = { clientCertificateData: "CHAIN", clientKeyData: "KEY" };
    assertEquals(await run(plugin(answering(status))), {
      token: undefined,
      certificate: { chain: "CHAIN", key: "KEY" },
      expires: Infinity,
    });
  });

  it("tells the plugin what is wanted in KUBERNETES_EXEC_INFO", async () => {
    const echo = `const info = Deno.env.get("KUBERNETES_EXEC_INFO");
      console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "${v1}", status: { token: info } }));`;
    const plain = await run(plugin(echo));
    assertEquals(JSON.parse(plain.token ?? ""), {
      kind: "ExecCredential",
      apiVersion: v1,
      spec: { interactive: false },
    });
    const informed = await run(plugin(echo, { provideClusterInfo: true }), undefined, "PEM");
    assertEquals(JSON.parse(informed.token ?? "").spec.cluster, {
      server: "https://api.prod:6443",
      "tls-server-name": "kubernetes",
      "certificate-authority-data": btoa("PEM"),
      config: { audience: "prod" },
    });
  });

  it("adds the plugin's own variables to the user's", async () => {
    const code = `const token = Deno.env.get("REGION") + Deno.env.get("SHARED");
      console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "${v1}", status: { token } }));`;
    const { deps } = world({ env: { ...Deno.env.toObject(), SHARED: "-1", REGION: "south" } });
    const found = await run(plugin(code, { env: [{ name: "REGION", value: "north" }] }), deps);
    assertEquals(found.token, "north-1");
  });

  it("passes what the plugin says on to the person, and repeats its end when it fails", async () => {
    const { deps, said } = world();
    const code = `console.error("Please log in\\n\\x1b[31mno session\\x1b[0m"); Deno.exit(3)`;
    const error = await assertRejects(() => run(plugin(code), deps), AccessError);
    assertEquals(error.kind, "credentials");
    assertStringIncludes(error.message, 'of user "me" failed with status 3: Please log in; no session');
    assertStringIncludes(said(), "Please log in");
  });

  it("gives the hint of the kubeconfig where the plugin is not installed", async () => {
    const exec = plugin("", { command: "no-such-plugin", installHint: "See https://example.org/install" });
    const error = await assertRejects(() => run(exec), AccessError);
    assertStringIncludes(error.message, '"no-such-plugin" of user "me" is not installed');
    assertStringIncludes(error.message, "See https://example.org/install");
  });

  it("does not start a plugin that must ask when nobody can answer", async () => {
    await assertRejects(() => run(plugin("", { interactiveMode: "Always" })), AccessError, "there is no terminal");
  });

  it("refuses answers that are no credentials, and shows none of them", async () => {
    const credential = (fields: Record<string, unknown>) =>
      `console.log(${JSON.stringify(JSON.stringify({ kind: "ExecCredential", apiVersion: v1, ...fields }))})`;
    const cases: [string, string][] = [
      [`console.log("secret-token")`, "something else than an ExecCredential"],
      [`console.log("null")`, "something else than an ExecCredential"],
      [credential({ kind: "Secret", status: { token: "secret-token" } }), "something else than an ExecCredential"],
      [
        credential({ apiVersion: "client.authentication.k8s.io/v1beta1", status: { token: "secret-token" } }),
        "v1beta1",
      ],
      [credential({}), "neither a token nor a client certificate"],
      [credential({ status: { token: "" } }), "neither a token nor a client certificate"],
      [credential({ status: { clientKeyData: "secret-token" } }), "half a client certificate"],
      [`console.log("x".repeat(3_000_000))`, "more than any credential is long"],
    ];
    for (const [code, words] of cases) {
      const error = await assertRejects(() => run(plugin(code)), AccessError, words);
      assertFalse(error.message.includes("secret-token"));
    }
  });

  it("refuses a version of the protocol that nobody speaks any more", async () => {
    const exec = plugin("", { apiVersion: "client.authentication.k8s.io/v1alpha1" });
    await assertRejects(() => run(exec), AccessError, "v1alpha1");
  });

  it("ends a plugin that does not come to an end", async () => {
    const clock = new FakeClock();
    const events: string[] = [];
    const { deps, spoken } = world({ clock, log: { ...silentLog, event: (message) => void events.push(message) } });
    const running = run(plugin(`console.error("waiting"); setInterval(() => {}, 1000)`), deps);
    const failing = assertRejects(() => running, AccessError, "did not finish within 5 minutes");
    await spoken;
    await clock.advance(300_000);
    await failing;
    assert(events.some((event) => event.includes("Waiting for the credential plugin")));
  });

  it("ends the plugin when nobody wants the answer any more", async () => {
    const { deps, spoken } = world();
    const stopping = new AbortController();
    const exec = plugin(`console.error("waiting"); setInterval(() => {}, 1000)`);
    const running = runExecPlugin({ exec, user: "me", cluster, ca: undefined }, deps, stopping.signal);
    const failing = assertRejects(() => running, Error, "enough");
    await spoken;
    stopping.abort(new Error("enough"));
    await failing;
  });
});
