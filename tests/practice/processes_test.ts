import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject, Manifest } from "./kube_object.ts";
import type { PodObject } from "./pod_object.ts";
import { podReady } from "./pod_ready.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";
import type { ServiceObject } from "./service_object.ts";

/** What the pods of these tests run: it serves on all addresses and on localhost, and asks others by their names. */
const script = `
import { readFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { createServer as listen, connect } from "node:net";
import { lookup } from "node:dns/promises";

const fetched = (host, port) => new Promise((resolve) => {
  get({ host, port, path: "/", agent: false }, (response) => {
    let body = "";
    response.on("data", (data) => body += data).on("end", () => resolve(body));
  }).on("error", (error) => resolve(error.code));
});
const answers = {
  "/token": () => readFileSync(process.env.TOKEN_FILE, "utf8"),
  "/env": () => JSON.stringify(process.env),
  "/lookup": async (name) => JSON.stringify(await lookup(name).catch((error) => error.code)),
  "/fetch": (host, port) => fetched(host, Number(port)),
  "/exit": (code) => process.exit(Number(code)),
  "/": () => "here",
};
let ready = true;
createServer(async (request, response) => {
  const [path, ...words] = request.url.split("?")[0].split(",");
  if (path === "/unready") ready = false;
  if (path === "/ready") response.statusCode = ready ? 200 : 503;
  response.end(String(await answers[path]?.(...words)));
}).listen(Number(process.env.PORT ?? 8080), () => console.log("serving", process.argv[2]));
listen((socket) => socket.end("link")).listen({ host: "127.0.0.1", port: 9100 });
process.on("SIGTERM", () => {
  console.log("told to end");
  if (process.env.STUBBORN === undefined) process.exit(0);
  ready = false;
});
`;

interface PodOptions {
  readonly image?: string;
  readonly env?: readonly Readonly<Record<string, unknown>>[];
  readonly probe?: Readonly<Record<string, unknown>>;
  readonly grace?: number;
  readonly replicas?: number;
}

/** A ConfigMap with the script, a Secret, a Deployment that mounts both, and a Service, all in `dev` and called `app`. */
function app(options: PodOptions = {}): Manifest[] {
  const { image = "docker.io/library/node:22-alpine", env = [], probe, grace = 30, replicas = 1 } = options;
  const metadata = { namespace: "dev", name: "app" };
  const labels = { app: "app" };
  const deno = image.includes("deno") ? ["deno", "run", "-A"] : ["node"];
  const container = {
    name: "app",
    image,
    command: [...deno, "/opt/app/main.mjs"],
    args: ["for $(MY_POD)"],
    env: [
      { name: "TOKEN_FILE", value: "/opt/app-token/token" },
      { name: "MY_POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ...env,
    ],
    ports: [{ name: "http", containerPort: 8080 }],
    volumeMounts: [{ name: "code", mountPath: "/opt/app" }, { name: "token", mountPath: "/opt/app-token" }],
    ...(probe ? { readinessProbe: { periodSeconds: 0.1, httpGet: { path: "/ready", port: "http" }, ...probe } } : {}),
  };
  const volumes = [
    { name: "code", configMap: { name: "app" } },
    { name: "token", secret: { secretName: "app", defaultMode: 0o600 } },
  ];
  const spec = { containers: [container], volumes, terminationGracePeriodSeconds: grace };
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "main.mjs": script, color: "blue" } },
    { apiVersion: "v1", kind: "Secret", metadata, data: { token: btoa("secret words") } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: "http" }] },
    },
  ];
}

const probe = {};

async function ask(practice: Practice, path: string): Promise<string> {
  const connection = await practice.dialFromPod("app.dev", 80);
  const head = `GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const text = await new Response(connection.readable).text();
  return text.slice(text.indexOf("\r\n\r\n") + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, "");
}

function pods(practice: Practice): PodObject[] {
  return practice.list<PodObject>("pods", "dev").filter(({ metadata }) => metadata.labels?.app === "app");
}

function pod(practice: Practice): PodObject {
  return pods(practice)[0]!;
}

/** As `Practice.until`, for ten seconds at most: a process that does not come up is a failure, not a standstill. */
async function until<T>(practice: Practice, look: () => T | undefined): Promise<T> {
  const abort = new AbortController();
  const status = () => pods(practice).map((pod) => JSON.stringify(pod.status)).join("\n");
  const timer = setTimeout(() => abort.abort(new Error(`not within ten seconds: ${look}\n${status()}`)), 10_000);
  try {
    return await practice.until(look, abort.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when a pod of `app`, other than the one given, is ready. */
function ready(practice: Practice, other?: PodObject): Promise<PodObject> {
  return until(practice, () => {
    return pods(practice).find((pod) =>
      podReady(pod) && !pod.metadata.deletionTimestamp && pod.metadata.uid !== other?.metadata.uid
    );
  });
}

async function logOf(practice: Practice, query = ""): Promise<string> {
  using client = new PracticeClient(practice);
  const { body } = await client.get<string>(`/api/v1/namespaces/dev/pods/${pod(practice).metadata.name}/log${query}`);
  return body;
}

for (const image of ["docker.io/library/node:22-alpine", "denoland/deno:2.5.0"]) {
  describe(`a process of the image ${image}`, () => {
    it("has its files, its variables and its arguments", async () => {
      await using practice = await startPractice();
      const color = { name: "COLOR", valueFrom: { configMapKeyRef: { name: "app", key: "color" } } };
      const token = { name: "TOKEN", valueFrom: { secretKeyRef: { name: "app", key: "token" } } };
      await practice.apply(...app({ image, probe, env: [color, token] }));
      const { metadata: { name } } = await ready(practice);
      assertEquals(await ask(practice, "/token"), "secret words");
      const { COLOR, TOKEN, MY_POD } = JSON.parse(await ask(practice, "/env"));
      assertEquals([COLOR, TOKEN, MY_POD], ["blue", "secret words", name]);
      assertEquals(await logOf(practice), `serving for ${name}\n`);
    });

    it("reaches services by name and ClusterIP, is told of what is not there, and reaches itself on localhost", async () => {
      await using practice = await startPractice();
      await practice.apply(...app({ image, probe }));
      await practice.addService({ namespace: "dev", name: "orders" });
      await ready(practice);
      const { clusterIP } = practice.get<ServiceObject>("services", "dev", "orders")!.spec;
      assertEquals(JSON.parse(await ask(practice, "/lookup,orders")), { address: clusterIP, family: 4 });
      assertEquals(JSON.parse(await ask(practice, "/lookup,nothing")), "ENOTFOUND");
      for (const host of ["orders", "orders.dev.svc.cluster.local", clusterIP]) {
        assertStringIncludes(await ask(practice, `/fetch,${host},80`), '"name":"orders"');
      }
      const outside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("outside"));
      practice.addOutside("db.example.com", 5432, outside.addr);
      assertEquals(await ask(practice, "/fetch,db.example.com,5432"), "outside");
      await outside.shutdown();
      assertEquals(await ask(practice, "/fetch,orders,81"), "ECONNREFUSED");
      assertEquals(await ask(practice, "/fetch,nothing,80"), "ENOTFOUND");
      assertEquals(await ask(practice, "/fetch,localhost,8080"), "here");
      const { podIP } = pod(practice).status;
      assertEquals(await ask(practice, `/fetch,${podIP},8080`), "here");
      assertEquals(await ask(practice, `/fetch,${podIP},9100`), "ECONNREFUSED");
    });
  });
}

describe("a pod with a process", () => {
  it("shares its ports with no other pod", async () => {
    await using practice = await startPractice();
    await practice.apply(...app({ probe, replicas: 2 }));
    await until(practice, () => pods(practice).every(podReady) || undefined);
    const names = new Set<string>();
    for (let i = 0; i < 4; i++) names.add(JSON.parse(await ask(practice, "/env")).MY_POD);
    assertEquals(names.size, 2);
  });

  it("is ready when its probe says so, and no longer when it does not", async () => {
    await using practice = await startPractice();
    await practice.apply(...app({ probe: { failureThreshold: 2 } }));
    await ready(practice);
    await ask(practice, "/unready");
    await until(practice, () => !podReady(pod(practice)) || undefined);
    await assertRejects(() => practice.dialFromPod("app.dev", 80), Deno.errors.ConnectionRefused);
    const messages = practice.list<KubeObject & { message: string }>("events", "dev").map(({ message }) => message);
    assert(messages.includes("Readiness probe failed: HTTP probe failed with statuscode: 503"), messages.join("\n"));
  });

  it("that exits is started again at once, then after a back-off, and says how it ended", async () => {
    await using practice = await startPractice({ backOff: 50 });
    const restarts = () => (pod(practice).status.containerStatuses as { restartCount: number }[])[0]!.restartCount;
    await practice.apply(...app({ probe }));
    await ready(practice);
    await ask(practice, "/exit,3");
    await until(practice, () => restarts() === 1 && podReady(pod(practice)) || undefined);
    assertEquals(await logOf(practice, "?previous=true"), `serving for ${pod(practice).metadata.name}\n`);
    await ask(practice, "/exit,3");
    const seen = await until(practice, () => {
      const text = JSON.stringify(pod(practice).status);
      return text.includes("CrashLoopBackOff") ? text : undefined;
    });
    assertMatch(seen, /"exitCode":3,"reason":"Error"/);
    await until(practice, () => restarts() === 2 && podReady(pod(practice)) || undefined);
    assertEquals(await ask(practice, "/"), "here");
  });

  it("whose command cannot be run is in a crash loop, and its log says why", async () => {
    await using practice = await startPractice();
    const manifests = JSON.parse(JSON.stringify(app()).replace('"node"', '"sh"')) as Manifest[];
    await practice.apply(...manifests);
    assertStringIncludes(JSON.stringify(pod(practice).status), "CrashLoopBackOff");
    assertEquals(await logOf(practice), 'exec: "sh": executable file not found in $PATH\n');
  });

  it("is told to end, and serves as a terminating endpoint until it has", async () => {
    await using practice = await startPractice();
    await practice.apply(...app({ probe, env: [{ name: "STUBBORN", value: "" }], grace: 60 }));
    const first = await ready(practice);
    const { podIP } = first.status;
    await practice.remove("pods", "dev", first.metadata.name);
    await ready(practice, first);
    const conditions = practice.list<KubeObject & { endpoints: { addresses: string[]; conditions: unknown }[] }>(
      "endpointslices.discovery.k8s.io",
      "dev",
    ).flatMap((slice) => slice.endpoints).find(({ addresses }) => addresses[0] === podIP)?.conditions;
    assertMatch(JSON.stringify(conditions), /"ready":false,.*"terminating":true/);
    (await practice.dialFromPod(podIP!, 8080)).close();
    await practice.killPod("dev", first.metadata.name);
    await assertRejects(() => practice.dialFromPod(podIP!, 8080), Deno.errors.ConnectionRefused);
  });

  it("that does not end is killed when its grace period is over", async () => {
    await using practice = await startPractice();
    await practice.apply(...app({ probe, env: [{ name: "STUBBORN", value: "" }], grace: 0.2 }));
    const first = await ready(practice);
    await practice.remove("deployments.apps", "dev", "app");
    await until(practice, () => practice.get("pods", "dev", first.metadata.name) ? undefined : true);
  });

  it("waits for a ConfigMap or a Secret that it lacks, and says which", async () => {
    await using practice = await startPractice();
    const [code, token, ...rest] = app({ probe });
    await practice.apply(...rest);
    const why = () => JSON.stringify(pod(practice).status.containerStatuses);
    assertStringIncludes(why(), 'MountVolume.SetUp failed for volume \\"code\\" : configmap \\"app\\" not found');
    await practice.apply(code!);
    assertStringIncludes(why(), 'MountVolume.SetUp failed for volume \\"token\\" : secret \\"app\\" not found');
    const events = practice.list<KubeObject & { reason: string }>("events", "dev").map(({ reason }) => reason);
    assertEquals(events, ["FailedMount", "FailedMount"]);
    await practice.apply(token!);
    await ready(practice);
  });

  it("whose variable refers to nothing says so", async () => {
    await using practice = await startPractice();
    const color = { name: "COLOR", valueFrom: { configMapKeyRef: { name: "app", key: "colour" } } };
    await practice.apply(...app({ env: [color] }));
    assertStringIncludes(
      JSON.stringify(pod(practice).status),
      `"reason":"CreateContainerConfigError","message":"couldn't find key colour in ConfigMap dev/app"`,
    );
  });
});
