import { assert, assertEquals, assertFalse, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Practice } from "../practice/practice.ts";
import { runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";
import { seeingProgram, type Seen } from "./seeing_program.ts";

const windows = Deno.build.os === "windows";
const secret = "s3cret-of-the-cluster";

const container = {
  name: "api",
  image: "practice/workload",
  envFrom: [{ configMapRef: { name: "app" } }],
  env: [
    { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
    { name: "URL", value: "redis://:$(PASSWORD)@web:80/0" },
    { name: "WEB", value: "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)/" },
    { name: "DB_HOST", value: "web" },
    { name: "DB_PORT", value: "80" },
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "HTTP_PROXY", value: "http://egress:3128" },
    { name: "JAVA_OPTS", value: "-javaagent:/otel.jar" },
  ],
  volumeMounts: [{ name: "db", mountPath: "/etc/db" }],
};

describe("run with what a container has", () => {
  let home: PracticeHome;
  let practice: Practice;
  let root: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    home = await openPracticeHome();
    ({ practice, root } = home);
    env = { ...home.env, OWN: "mine", LEVEL: "mine" };
    const volumes = [{ name: "db", secret: { secretName: "db" } }];
    const deployment = (name: string, spec: unknown) => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace: "dev", name },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec },
      },
    });
    await practice.apply(
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace: "dev", name: "app" },
        data: { LEVEL: "info", BROKERS: "web:80,web.dev.svc.cluster.local:80,elsewhere:9092" },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { namespace: "dev", name: "db" },
        data: { password: btoa(secret) },
      },
      deployment("api", { containers: [container], volumes }),
      deployment("bad", {
        containers: [{ ...container, envFrom: [], env: [] }],
        volumes: [{ name: "db", secret: { secretName: "db", items: [{ key: "password", path: "../../x" }] } }],
      }),
      deployment("alone", {
        containers: [{ name: "main", image: "practice/workload", env: [{ name: "A", value: "1" }] }],
        enableServiceLinks: false,
      }),
    );
    const look = ["get", "list", "watch"];
    const rules = [
      { apiGroups: [""], resources: ["services", "pods"], verbs: look },
      { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: look },
      { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
    ];
    await practice.addUser({ name: "weak", rules });
  });
  afterAll(() => home.close());

  const run = async (...flags: readonly string[]) => {
    const all = ["run", "--port", "0", "--java", "off", "--node", "off", ...flags];
    const { status, out, err } = await runHawser([...all, "--", Deno.execPath(), "eval", seeingProgram], env);
    assertEquals(status, 0, err);
    const seen: Seen = JSON.parse(out);
    return { ...seen, err };
  };

  it("brings variables with their ConfigMaps and Secrets, services at local ports, and files, and says no secret", async () => {
    const from = ["--env-from", "deploy/api", "--files-from", "deploy/api:api", "--log-level", "debug"];
    const { env: seen, files, err } = await run(...from);
    const pod = practice.list("pods", "dev").find(({ metadata }) => metadata.name!.startsWith("api-"))!;
    assertEquals([seen.OWN, seen.LEVEL, seen.POD], ["mine", "info", pod.metadata.name]);
    assertEquals([seen.PASSWORD, seen.URL], [secret, `redis://:${secret}@web:80/0`]);
    assertMatch(seen.WEB_SERVICE_HOST!, /^127\./);
    assertEquals(seen.WEB, `http://${seen.WEB_SERVICE_HOST}:${seen.WEB_SERVICE_PORT}/`);
    assertEquals(seen.WEB_PORT_80_TCP, `tcp://${seen.WEB_SERVICE_HOST}:${seen.WEB_SERVICE_PORT}`);
    assertEquals([seen.BROKERS, seen.DB_HOST], ["web:80,web.dev.svc.cluster.local:80,elsewhere:9092", "web"]);
    assertMatch(seen.HTTP_PROXY!, /^http:\/\/127\.0\.0\.1:/);
    assertEquals(seen.JAVA_OPTS, undefined);
    assertStringIncludes(
      err,
      "about the container itself: HTTP_PROXY, JAVA_OPTS, KUBERNETES_*. Set what you need by --set",
    );
    assertEquals(files, { "/etc/db/password": secret });
    assertStringIncludes(err, `One file is in "${seen.HAWSER_FILES}", under /etc/db`);
    assertFalse(err.includes(secret));
    await assertRejects(() => Deno.stat(seen.HAWSER_FILES!), Deno.errors.NotFound);
  });

  it("rewrites addresses in values for programs that nothing else reaches", async () => {
    const { env: seen } = await run("--env-from", "deploy/api", "--rewrite-env");
    const web = `${seen.WEB_SERVICE_HOST}:${seen.WEB_SERVICE_PORT}`;
    assertEquals(seen.URL, `redis://:${secret}@${web}/0`);
    assertEquals(seen.BROKERS, `${web},${web},elsewhere:9092`);
    assertEquals(`${seen.DB_HOST}:${seen.DB_PORT}`, web);
  });

  it("puts files over the workload and --set over everything, proxies included", async () => {
    await Deno.writeTextFile(`${root}/a,b.env`, "LEVEL='file'\r\nOTHER=file\r\n");
    const set = ["--set", "OTHER=a,b=c", "--set", "ALL_PROXY=http://mine:1", "--set", "JAVA_OPTS=-Dx"];
    const { env: seen, err } = await run("--env-from", "deploy/api", "--env-file", `${root}/a,b.env`, ...set);
    assertEquals([seen.LEVEL, seen.OTHER, seen.ALL_PROXY, seen.JAVA_OPTS], ["file", "a,b=c", "http://mine:1", "-Dx"]);
    assertMatch(seen.HTTP_PROXY!, /^http:\/\/127\.0\.0\.1:/);
    assertFalse(err.includes("mine:1"));
  });

  it("honours a pod that wants no variables of services", async () => {
    const { env: seen } = await run("--env-from", "deploy/alone");
    assertEquals([seen.A, seen.WEB_SERVICE_HOST], ["1", undefined]);
  });

  it("prints the same for a running session, with services at its local ports", async () => {
    const wired = { ...env, HAWSER_PORT: "0" };
    const print = async (...flags: readonly string[]) => {
      const { status, out, err } = await runHawser(["env", "--env-from", "deploy/api", ...flags], wired);
      assertEquals(status, 0, err);
      return { out, err };
    };
    for (const listen of ["--listen", "--listen=false"]) {
      const { status, err } = await runHawser(["connect", "--detach", "--name", "ide", listen], wired);
      assertEquals(status, 0, err);
      try {
        const { out, err } = await print("--shell", "json");
        const seen = JSON.parse(out);
        assertEquals([seen.LEVEL, seen.PASSWORD], ["info", secret]);
        assertMatch(seen.HTTP_PROXY, /^http:\/\/127\.0\.0\.1:/);
        if (listen === "--listen") assertEquals(seen.WEB, `http://${seen.WEB_SERVICE_HOST}:${seen.WEB_SERVICE_PORT}/`);
        else assertEquals(seen.WEB_SERVICE_HOST, undefined);
        assertEquals(err.includes("hawser connect --listen"), listen !== "--listen", err);
        const dotenv = (await print("--shell", "dotenv")).out;
        assertStringIncludes(dotenv, `PASSWORD=${secret}\n`);
        assertFalse(dotenv.includes("FORMER"));
        const elsewhere = `${root}/elsewhere.kubeconfig`;
        const server = "https://127.0.0.1:1";
        await Deno.writeTextFile(elsewhere, home.practice.kubeconfig("admin", { namespace: "dev", server }));
        const mixed = await runHawser(["env", "--env-from", "deploy/api", "--kubeconfig", elsewhere], wired);
        assertEquals(mixed.status, 1);
        assertStringIncludes(mixed.err, 'Session "ide" is of the cluster at https://127.0.0.1:');
      } finally {
        await runHawser(["disconnect", "ide"], wired);
      }
    }
  });

  it("goes on without a right, and says which", async () => {
    const { env: seen, files, err } = await run(
      "--kubeconfig",
      await home.kubeconfig("weak"),
      "--env-from",
      "deploy/api",
      "--files-from",
      "deploy/api",
    );
    assertEquals([seen.LEVEL, seen.PASSWORD], ["info", undefined]);
    assertEquals(files, {});
    assertEquals(
      err.split('You may not read Secret "db" in namespace "dev": ask for the verb get on secrets there').length,
      2,
      err,
    );
    assertMatch(err, /Left out: PASSWORD, .*the file "password"|Left out: PASSWORD, all of its files/);
    assertFalse(err.includes("has no files"), err);
    const asked = await runHawser(["doctor", "--rbac", "--environment"], env);
    assertStringIncludes(asked.out, "  resources: [configmaps, secrets]\n  verbs: [get]");
  });

  it("tells of registries, and keeps programs from registering", async () => {
    const eureka = ["--set", "EUREKA_CLIENT_SERVICEURL_DEFAULTZONE=http://eureka:8761/"];
    const { err } = await run(...eureka);
    assertStringIncludes(err, "There is Eureka: ");
    const { env: seen, err: quiet } = await run(...eureka, "--no-register");
    assertEquals(seen.EUREKA_CLIENT_REGISTER_WITH_EUREKA, "false");
    assertFalse(quiet.includes("Eureka"));
  });

  it("refuses what it cannot do before it connects", async () => {
    await Deno.writeTextFile(`${root}/bad.env`, `A=1\n${secret}\n`);
    for (
      const [flags, status, message] of [
        [["--env-from", "api"], 2, "--env-from wants a workload, as in deploy/api"],
        [["--env-from", "deploy/api:"], 2, "is no container"],
        [["--set", `=${secret}`], 2, "--set wants NAME=VALUE"],
        [["--env-file", `${root}/none`], 1, "There is no file"],
        [["--env-file", `${root}/bad.env`], 1, `bad.env", line 2: a line has the form NAME=value`],
        [["--session", "x", "--files-from", "deploy/api"], 2, "leave --session out"],
        [["--files-from", "deploy/bad"], 1, 'names a file "/etc/db/../../x", which would lie outside'],
        [["--env-from", "deploy/apj"], 1, 'There is no deployment "apj" in namespace "dev". Did you mean "api"?'],
      ] as const
    ) {
      const refused = await runHawser(
        ["run", ...flags, "--", Deno.execPath(), "eval", seeingProgram],
        { ...env, HAWSER_PORT: "0" },
      );
      assertStringIncludes(refused.err, message);
      assertEquals([refused.status, refused.out], [status, ""]);
      assertFalse(refused.err.includes(secret));
    }
  });

  // Windows has no process that outlives its parent by its own doing.
  it("sweeps the files of a hawser that was killed", { ignore: windows }, async () => {
    const kill = `console.log(Deno.env.get("HAWSER_FILES")); Deno.kill(Deno.ppid, "SIGKILL");`;
    const from = ["run", "--port", "0", "--files-from", "deploy/api", "--", Deno.execPath(), "eval", kill];
    const killed = await runHawser(from, env);
    const left = killed.out.trim();
    assert((await Deno.stat(`${left}/etc/db/password`)).isFile);
    assertEquals((await runHawser(["run", "--port", "0", "--", Deno.execPath(), "eval", "0"], env)).status, 0);
    await assertRejects(() => Deno.stat(left), Deno.errors.NotFound);
    assertEquals(await Array.fromAsync(Deno.readDir(dirname(left))), []);
  });
});
