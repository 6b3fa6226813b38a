import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { connectHawser, Home, runHawser, RunningHawser } from "./hawser.ts";
import { deployment, service } from "./manifests.ts";
import { greet, open } from "./proxy_client.ts";
import { Scene } from "./scene.ts";

describe("sessions side by side", () => {
  const stack = new AsyncDisposableStack();
  let first: Scene, second: Scene;

  beforeAll(async () => {
    [first, second] = await Promise.all([Scene.open("one"), Scene.open("two")]);
    for (const scene of [first, second]) {
      stack.use(scene);
      await scene.apply(
        deployment("web", { args: ["-name", scene.namespace] }),
        service("web", { ports: [{ port: 80, targetPort: "http" }] }),
      );
    }
    await Promise.all([first.ready("deployment/web"), second.ready("deployment/web")]);
  });

  afterAll(() => stack.disposeAsync());

  async function sessions(home: Home): Promise<{ name: string; port: number }[]> {
    return JSON.parse((await runHawser(home, ["status", "-o", "json"])).stdout).sessions;
  }

  /** Files of sessions, dead ones too. */
  async function notes(home: Home): Promise<string[]> {
    const found: string[] = [];
    const look = async (folder: string) => {
      for await (const { name, isDirectory } of Deno.readDir(folder)) {
        if (isDirectory && name !== "cache" && name !== ".cache") await look(`${folder}/${name}`);
        else if (folder.endsWith("sessions")) found.push(name);
      }
    };
    await look(home.folder);
    return found.sort();
  }

  it("are told apart by env, run and status", async () => {
    await using home = await Home.open();
    const one = await connectHawser(home, ["-n", first.namespace]);
    await using _one = one.running;
    assertStringIncludes((await runHawser(home, ["env", "--shell", "bash"])).stdout, `127.0.0.1:${one.report.port}`);

    const two = await connectHawser(home, ["-n", second.namespace, "--name", "second"]);
    await using _two = two.running;
    for (const [{ report }, scene] of [[one, first], [two, second]] as const) {
      assertEquals((await greet(report.port, "web", 80)).name, scene.namespace);
    }
    assertEquals(
      (await sessions(home)).map(({ name, port }) => [name, port]).sort(),
      [
        [first.namespace, one.report.port],
        ["second", two.report.port],
      ].sort(),
    );

    const unsaid = await runHawser(home, ["env"]);
    assertEquals([unsaid.code, unsaid.stdout], [1, ""]);
    assertMatch(unsaid.stderr, new RegExp(`^hawser: Several sessions run.*${first.namespace}.*second.*\n$`));
    const slip = await runHawser(home, ["env", "--session", "secnod"]);
    assertMatch(slip.stderr, /^hawser: No session "secnod" runs.*second/);

    const chosen = await runHawser(home, ["env", "--session", "second", "--shell", "json"]);
    assertEquals(JSON.parse(chosen.stdout).http_proxy, `http://127.0.0.1:${two.report.port}`);
    const script = 'echo "$http_proxy"; exit 7';
    const ran = await runHawser(home, ["run", "--session", "second", "--", "sh", "-c", script]);
    assertEquals(ran, { code: 7, stdout: `http://127.0.0.1:${two.report.port}\n`, stderr: "" });
  });

  it("run in the background, and end by disconnect", async () => {
    await using home = await Home.open();
    const port = String(getAvailablePort());
    const args = ["connect", "-n", first.namespace, "--detach", "--port", port, "-o", "json"];
    const started = await runHawser(home, args);
    assertEquals([started.code, started.stderr], [0, ""]);
    assertEquals(JSON.parse(started.stdout).port, Number(port));
    const [session] = await sessions(home);
    assertEquals(session?.port, Number(port));
    assertEquals((await greet(Number(port), "web", 80)).name, first.namespace);

    const again = await runHawser(home, args);
    assertEquals(again, {
      ...started,
      stderr: `Session "${first.namespace}" was running already, and goes on with what it was started with.\n`,
    });
    const taken = await runHawser(home, [...args, "--auth"]);
    assertEquals([taken.code, taken.stdout], [1, ""]);
    assertMatch(taken.stderr, new RegExp(`^hawser: Port ${port} is held by session "${first.namespace}".*\n$`));

    assertEquals((await runHawser(home, ["disconnect"])).code, 0);
    assertEquals(await sessions(home), []);
    await assertRejects(() => open(Number(port)), Error);
    assertEquals((await notes(home)).filter((name) => name.endsWith(".json")), []);
  });

  it("are recognised as dead when they were killed, and swept", async () => {
    await using home = await Home.open();
    const { running } = await connectHawser(home, ["-n", first.namespace]);
    assertEquals(await notes(home), [`${first.namespace}.json`]);
    await running.stop("SIGKILL");
    assertEquals(await notes(home), [`${first.namespace}.json`]);
    const none = await runHawser(home, ["env"]);
    assertEquals([none.code, none.stdout], [1, ""]);
    assertMatch(none.stderr, /^hawser: No session runs: start one with hawser connect.*\n$/);
    assertEquals(await notes(home), []);
  });

  it("end at Ctrl-C at any moment with 130, and leave nothing", async () => {
    await using home = await Home.open();
    for (const moment of [0, 50, 100, 150, 200, 300, 400, 600]) {
      const running = new RunningHawser(home, ["connect", "-n", first.namespace, "--port", "0"]);
      await new Promise((resolve) => setTimeout(resolve, moment));
      const { code, stderr } = await running.stop();
      assertEquals([code, stderr.replace("Ctrl-C ends it.\n", "")], [130, ""], `after ${moment} ms`);
      assertEquals(await notes(home), [], `after ${moment} ms`);
    }
    const { running } = await connectHawser(home, ["-n", first.namespace]);
    assertEquals((await running.stop("SIGTERM")).code, 130);
    assertEquals(await notes(home), []);
  });

  it("say which port is taken by somebody else", async () => {
    await using home = await Home.open();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const taken = await runHawser(home, ["connect", "-n", first.namespace, "--port", String(port)]);
    assertEquals([taken.code, taken.stdout], [1, ""]);
    assertMatch(taken.stderr, new RegExp(`^hawser: Port 127.0.0.1:${port} is taken by another program.*--port.*\n$`));
    const dns = await runHawser(home, ["connect", "-n", first.namespace, "--port", "0", "--dns-port", String(port)]);
    assertEquals([dns.code, dns.stdout], [1, ""]);
    assertMatch(dns.stderr, new RegExp(`^hawser: .*${port}.*\n$`));
  });

  it("pass the status and the signals of the program of run on", async () => {
    await using home = await Home.open();
    const options = ["run", "-n", first.namespace, "--port", "0", "--"];
    assertEquals(await runHawser(home, [...options, "sh", "-c", "exit 7"]), { code: 7, stdout: "", stderr: "" });
    const missing = await runHawser(home, [...options, "no-such-program"]);
    assertEquals([missing.code, missing.stderr.trimEnd().split("\n").length], [127, 1]);

    const script = 'trap "echo told; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
    const running = new RunningHawser(home, [...options, "sh", "-c", script]);
    assertEquals(await running.line(), "ready");
    assertEquals(await running.stop("SIGTERM"), { code: 9, stdout: "ready\ntold\n", stderr: "" });
    assertEquals(await notes(home), []);
  });
});
