import { assert, assertEquals, assertFalse, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { seeingProgram, type Seen } from "../cli/seeing_program.ts";
import { Home, runHawser } from "./hawser.ts";
import { deployment, image, type Manifest, service } from "./manifests.ts";
import { Scene } from "./scene.ts";
import { accountWithRole, tokenUser, writeKubeconfig } from "./users.ts";

const password = 's3cret "$(LEVEL)" \\ \n';

const api: Manifest = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "api" },
  spec: {
    selector: { matchLabels: { app: "api" } },
    template: {
      metadata: { labels: { app: "api", tier: "back" }, annotations: { note: 'a "b"\nc' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{
          name: "main",
          image,
          args: ["serve"],
          resources: { limits: { memory: "64Mi" } },
          envFrom: [{ prefix: "P_", configMapRef: { name: "app" } }, { configMapRef: { name: "app" } }, {
            secretRef: { name: "none", optional: true },
          }],
          env: [
            { name: "LEVEL", value: "$(LEVEL)+$$(LEVEL)" },
            { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
            { name: "BEFORE", value: "$(AFTER) $( $$$(LEVEL) $ $x" },
            { name: "AFTER", value: "$(PASSWORD)$(NOPE)$(dotted.key)" },
            { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
            { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
            { name: "TIER", valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
            { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
            { name: "ORDERS_URL", value: "http://orders/status/200" },
          ],
          volumeMounts: [
            { name: "app", mountPath: "/etc/app" },
            { name: "db", mountPath: "/etc/db/password.txt", subPath: "password" },
            { name: "all", mountPath: "/etc/all" },
          ],
        }],
        volumes: [
          { name: "app", configMap: { name: "app", items: [{ key: "app.yml", path: "sub/app.yml" }] } },
          { name: "db", secret: { secretName: "db" } },
          {
            name: "all",
            projected: {
              sources: [
                { configMap: { name: "app", items: [{ key: "app.yml", path: "app.yml" }] } },
                { secret: { name: "db" } },
                { downwardAPI: { items: [{ path: "note", fieldRef: { fieldPath: "metadata.annotations['note']" } }] } },
                { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
              ],
            },
          },
        ],
      },
    },
  },
};

describe("run --env-from, on a real cluster", () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene, home: Home;

  beforeAll(async () => {
    scene = stack.use(await Scene.open("env"));
    home = stack.use(await Home.open());
    const look = ["get", "list", "watch"];
    await scene.apply(
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "app" },
        data: { LEVEL: "info", "1DIGIT": "1", "dotted.key": "dot", "app.yml": "a: 1\n" },
      },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "db" }, stringData: { password } },
      deployment("orders"),
      service("orders", { ports: [{ name: "http", port: 80, targetPort: "http" }, { name: "raw", port: 7000 }] }),
      ...accountWithRole("weak", scene.namespace, [
        { apiGroups: [""], resources: ["services", "pods", "configmaps"], verbs: look },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: look },
        { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
      ]),
    );
    // A kubelet knows the services that are there when the container starts.
    await scene.apply(api);
    await scene.ready("deployment/orders", "deployment/api");
  });
  afterAll(() => stack.disposeAsync());

  const run = async (...flags: readonly string[]) => {
    const all = ["run", "--port", "0", "--java", "off", "--node", "off", "-n", scene.namespace, ...flags];
    const { code, stdout, stderr } = await runHawser(home, [...all, "--", Deno.execPath(), "eval", seeingProgram]);
    assertEquals(code, 0, stderr);
    const seen: Seen = JSON.parse(stdout);
    return { ...seen, stderr };
  };
  const inside = (...command: readonly string[]) => scene.kubectl("exec", "deploy/api", "--", ...command);

  it("gives a program the variables that the container has", async () => {
    const text = await inside("/bin/busybox", "cat", "/proc/1/environ");
    const theirs = Object.fromEntries(
      text.split("\0").filter((line) => line !== "").map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    const { env, answer, stderr } = await run("--env-from", "deploy/api", "--log-level", "debug");
    const own = /^(PATH|HOME|HOSTNAME|KUBERNETES_.*)$/;
    for (const [name, value] of Object.entries(theirs)) {
      if (own.test(name)) continue;
      if (/^ORDERS_(SERVICE|PORT)/.test(name)) {
        assert(env[name] !== undefined, name);
      } else assertEquals([name, env[name]], [name, name === "IP" ? "127.0.0.1" : value]);
    }
    assertEquals(env.PASSWORD, password);
    assertEquals(env.AFTER, `${password}$(NOPE)dot`);
    assertEquals(env["1DIGIT"], theirs["1DIGIT"]);
    assertFalse(stderr.includes("s3cret"));
    assertEquals(answer, 200);
    const orders = await fetch(`http://${env.ORDERS_SERVICE_HOST}:${env.ORDERS_SERVICE_PORT}/`).catch(() => undefined);
    assertEquals(orders, undefined); // its port went with the session
  });

  it("rewrites addresses so that a program without any wiring gets there", async () => {
    const { env, answer } = await run(
      "--env-from",
      "deploy/api",
      "--rewrite-env",
      "--set",
      "NO_PROXY=*",
      "--set",
      "no_proxy=*",
    );
    assertMatch(env.ORDERS_URL!, /^http:\/\/127\.\d+\.\d+\.\d+:\d+\/status\/200$/);
    assertEquals(answer, 200);
  });

  it("brings the files that the container has, and removes them", async () => {
    const { env, files } = await run("--files-from", "deploy/api:main");
    const paths = ["/etc/app/sub/app.yml", "/etc/db/password.txt"];
    paths.push(...["app.yml", "password", "note", "labels"].map((name) => `/etc/all/${name}`));
    assertEquals(Object.keys(files).sort(), paths.sort());
    for (const path of paths) assertEquals([path, files[path]], [path, await inside("/bin/busybox", "cat", path)]);
    await assertRejects(() => Deno.stat(env.HAWSER_FILES!), Deno.errors.NotFound);
  });

  it("goes on without the right to read Secrets, and says what is left out", async () => {
    const user = await tokenUser(scene, "weak");
    const kubeconfig = await writeKubeconfig(`${home.folder}/weak`, { user, namespace: scene.namespace });
    const { env, stderr } = await run("--kubeconfig", kubeconfig, "--env-from", "deploy/api", "--set", "ORDERS_URL=");
    assertEquals([env.PASSWORD, env.TIER], [undefined, "back"]);
    assertStringIncludes(stderr, `You may not read Secret "db" in namespace "${scene.namespace}"`);
    assertStringIncludes(stderr, "Left out: PASSWORD");
  });
});
