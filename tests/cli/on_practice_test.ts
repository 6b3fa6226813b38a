import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { delimiter } from "node:path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { userPaths } from "../../src/platform/paths.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { isAlive } from "../../src/platform/process.ts";
import { connectTcp } from "../../src/stream/connect_tcp.ts";
import type { Practice } from "../practice/practice.ts";
import { runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";
import { startHawser } from "./start_hawser.ts";

const windows = Deno.build.os === "windows";

/** One request to a local port, by hand; the answer's status line. */
async function get(port: number, path: string, host: string, address = "127.0.0.1"): Promise<string> {
  const stream = await connectTcp(address, port, AbortSignal.timeout(5000));
  try {
    await stream.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    const buffer = new Uint8Array(1024);
    const count = await stream.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).split("\r\n")[0]!;
  } finally {
    stream.close();
  }
}

describe("hawser on a practice cluster", () => {
  let home: PracticeHome;
  let practice: Practice;
  let root: string;
  let runtime: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    const web = { name: "web", ports: [{ name: "http", port: 80, targetPort: 8080 }], replicas: 2 };
    const empty = { name: "empty", ports: [{ port: 90, targetPort: 90 }], replicas: 0 };
    // Wine has no letters but those of the locale it is started in.
    const prefix = Deno.env.has("WINEPREFIX") ? "A User " : "Jörg Müller ";
    home = await openPracticeHome({ services: [web, empty], prefix });
    ({ practice, root } = home);
    runtime = await Deno.makeTempDir(); // as a login has it on Linux
    // As an editor on Windows leaves it.
    const kubeconfig = JSON.stringify(JSON.parse(practice.kubeconfig("admin", { namespace: "dev" })), null, 2);
    await Deno.writeTextFile(`${root}/kubeconfig`, kubeconfig.replaceAll("\n", "\r\n"));
    env = {
      ...home.env,
      XDG_RUNTIME_DIR: runtime,
      KUBECONFIG: [`${root}/none`, `${root}/kubeconfig`].join(delimiter),
    };
  });
  afterAll(async () => {
    await home.close();
    await Deno.remove(runtime, { recursive: true });
  });

  it("connects, is found by the other commands, and leaves nothing behind when interrupted", async () => {
    const session = await startHawser(["connect", "--port", "0", "-o", "json"], env);
    const ready = JSON.parse(session.line);
    assertEquals([ready.session, ready.context, ready.namespace, ready.zone], [
      "dev",
      "practice",
      "dev",
      "cluster.local",
    ]);
    assertEquals(ready.services.map(({ name, ready, total }: Record<string, unknown>) => [name, ready, total]), [[
      "empty",
      0,
      0,
    ], ["web", 2, 2]]);
    assertEquals(await get(ready.port, "http://web/", "web"), "HTTP/1.1 200 OK");
    assertEquals(await get(ready.port, "http://empty:90/", "empty:90"), "HTTP/1.1 503 Service Unavailable");
    assertEquals(await get(ready.port, "/status", `127.0.0.1:${ready.port}`), "HTTP/1.1 403 Forbidden");
    assertEquals(await get(ready.port, "/proxy.pac", `127.0.0.1:${ready.port}`), "HTTP/1.1 200 OK");

    const { sessions: [seen] } = JSON.parse((await runHawser(["status", "-o", "json"], env)).out);
    assertEquals([seen.name, seen.port, seen.status.health, seen.token], ["dev", ready.port, "ok", undefined]);
    assertEquals(
      JSON.parse((await runHawser(["env", "-o", "json"], env)).out).HTTP_PROXY,
      `http://127.0.0.1:${ready.port}`,
    );

    const again = await runHawser(["connect", "--name", "dev"], env);
    assertEquals([again.status, again.out], [1, ""]);
    assertStringIncludes(again.err, 'A session "dev" runs already');
    const taken = await runHawser(["connect", "--port", String(ready.port)], env);
    assertEquals(taken.status, 1);
    assertStringIncludes(taken.err, `Port ${ready.port} is held by session "dev"`);

    const { code, err } = await session.end("SIGINT");
    assertEquals([code, err.replace("Connecting…\n", "")], [130, ""]); // said where it takes its time
    assertEquals(JSON.parse((await runHawser(["status", "-o", "json"], env)).out), { sessions: [] });
    assertEquals((await runHawser(["env"], env)).status, 1);
  });

  it("sweeps a session that was killed", async () => {
    const session = await startHawser(["connect", "--port", "0", "-o", "json", "--name", "victim"], env);
    await session.end("SIGKILL");
    assertEquals(JSON.parse((await runHawser(["status", "-o", "json"], env)).out), { sessions: [] });
    const { state } = userPaths(Deno.build.os, env);
    const files = await Array.fromAsync(Deno.readDir(`${state}/sessions`));
    assertEquals(files.filter(({ name }) => name.startsWith("victim")), []);
  });

  it("goes on in the background until told to end", async () => {
    const begun = await runHawser(["connect", "--detach", "--port", "0", "-o", "json", "--listen"], env);
    assertEquals([begun.status, begun.err], [0, ""]);
    const ready = JSON.parse(begun.out);
    assertEquals(await get(ready.port, "http://web/", "web"), "HTTP/1.1 200 OK");
    const web = ready.listeners.find(({ service }: { service: string }) => service === "web");
    assertEquals(await get(web.localPort, "/", "web", web.address), "HTTP/1.1 200 OK");
    const again = ["connect", "--detach", "--port", String(ready.port)];
    const { status, out, err } = await runHawser([...again, "-o", "json"], env);
    assertEquals([status, JSON.parse(out)], [0, ready]);
    assertStringIncludes(err, 'Session "dev" was running already, and goes on with what it was started with.');
    for (const other of [["-n", "kube-system"], ["--auth"], ["--relay"]]) {
      const refused = await runHawser([...again, ...other], env);
      assertEquals(refused.status, 1);
      assertStringIncludes(refused.err, `Port ${ready.port} is held by session "dev"`);
    }
    assertEquals(JSON.parse((await runHawser(["disconnect", "-o", "json"], env)).out), { ended: ["dev"] });
    const refused = await get(ready.port, "/", "x").catch((error) => error.code);
    assertEquals(refused, "ECONNREFUSED");
    if (windows) return; // there an open file goes once its process is gone
    const { state } = userPaths(Deno.build.os, env);
    const left = (await Array.fromAsync(Deno.readDir(`${state}/sessions`))).map(({ name }) => name);
    assertEquals(left.filter((name) => name.startsWith("dev.")), [], "an empty log is no use to anybody");
  });

  it("does not go on in the background where no command could find it again", async () => {
    const { state } = userPaths(Deno.build.os, env);
    const place = `${state}/sessions/blocked.json`;
    await Deno.mkdir(`${place}/in-the-way`, { recursive: true });
    try {
      const { status, out, err } = await runHawser(["connect", "--detach", "--port", "0", "--name", "blocked"], env);
      assertEquals([status, out], [1, ""]);
      assertStringIncludes(err, "blocked.json");
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  });

  it("tells why the background did not get ready", async () => {
    const { status, out, err } = await runHawser(["connect", "--detach", "-n", "nope"], env);
    assertEquals([status, out], [1, ""]);
    assertStringIncludes(err, 'hawser: The cluster has no namespace "nope".');
  });

  it("runs a program within reach of the cluster and passes its status on", async () => {
    const code = `const { HTTP_PROXY, no_proxy, NO_PROXY } = Deno.env.toObject();
      console.log(HTTP_PROXY.startsWith("http://127.0.0.1:"), NO_PROXY, (await fetch("http://web.dev/status/204")).status);
      Deno.exit(9);`;
    const user = { ...env, NO_PROXY: "corp.example" };
    const { status, out, err } = await runHawser(["run", "--", Deno.execPath(), "eval", code], user);
    assertEquals([status, out, err], [9, "true localhost,127.0.0.1,::1,corp.example 204\n", ""]);
  });

  it("takes the program of a batch file with it on Windows when it is killed", { ignore: !windows }, async () => {
    await Deno.writeTextFile(`${root}/mvn.cmd`, `@"${Deno.execPath()}" eval %*\r\n`);
    const code = "console.log(Deno.pid); setInterval(() => {}, 1000)";
    const session = await startHawser(["run", "--port", "0", "--", `${root}/mvn`, code], env);
    const program = Number(session.line);
    assert(isAlive(program));
    await session.end("SIGKILL");
    const deadline = systemClock.now() + 5000;
    while (isAlive(program) && systemClock.now() < deadline) await systemClock.sleep(50);
    assertFalse(isAlive(program));
  });

  it("asks programs for the password where --auth wants one", async () => {
    const session = await startHawser(["connect", "--port", "0", "-o", "json", "--auth"], env);
    try {
      assertEquals(
        await get(JSON.parse(session.line).port, "http://web/", "web"),
        "HTTP/1.1 407 Proxy Authentication Required",
      );
      const code = `console.log((await fetch("http://web/status/200")).status)`;
      const { out } = await runHawser(["run", "--session", "dev", "--", Deno.execPath(), "eval", code], env);
      assertEquals(out, "200\n");
    } finally {
      await session.end("SIGINT");
    }
  });

  it("says in a shell's words that there is no such program", async () => {
    const { status, err } = await runHawser(["run", "--", "no-such-program"], env);
    assertEquals([status, err], [
      127,
      'hawser: Cannot start "no-such-program": no folder of PATH has a program of that name\n',
    ]);
  });

  it("forwards ports that outlive the pods behind them", async () => {
    const session = await startHawser(["forward", "-o", "json", "web", ":http", "deploy/web", ":8080"], env);
    try {
      const ports: number[] = JSON.parse(session.line).forwards.map(({ port }: { port: number }) => port);
      for (const port of ports) assertEquals(await get(port, "/", "web"), "HTTP/1.1 200 OK");
      const old = practice.list("pods", "dev").map(({ metadata }) => metadata.name!);
      for (const name of old.filter((each) => each.startsWith("web"))) await practice.killPod("dev", name);
      await practice.settled();
      const deadline = systemClock.now() + 5000;
      for (const port of ports) {
        let answer = "";
        while (answer === "" && systemClock.now() < deadline) answer = await get(port, "/", "web").catch(() => "");
        assertEquals(answer, "HTTP/1.1 200 OK");
      }
    } finally {
      const { code } = await session.end("SIGINT");
      assertEquals(code, 130);
    }
  });

  it("says at once which target of a forward has no ready pod, and refuses one that never will", async () => {
    const session = await startHawser(["forward", "-o", "json", "empty", ":90", "web", ":http"], env);
    const { err } = await session.end("SIGINT");
    assertStringIncludes(err, 'Service "empty" in namespace "dev" has no pods');
    assertEquals(err.includes("web"), false);

    const metadata = { namespace: "dev", name: "mail" };
    const spec = { type: "ExternalName", externalName: "mail.example.com" };
    await practice.apply({ apiVersion: "v1", kind: "Service", metadata, spec });
    for (const ports of [["25"], []]) {
      const refused = await runHawser(["forward", "mail", ...ports], env);
      assertEquals([refused.status, refused.out], [1, ""]);
      assertStringIncludes(
        refused.err,
        'hawser: Service "mail" in namespace "dev" stands for the outside name "mail.example.com"',
      );
    }
  });

  it("finds nothing wrong with a cluster that is well", async () => {
    const { status, out } = await runHawser(["doctor", "-o", "json"], env);
    const findings: { subject: string; state: string }[] = JSON.parse(out).findings;
    assertEquals(findings.filter(({ state }) => state === "fail"), []);
    for (const subject of ["WebSocket", "SPDY", "pods/portforward", "clock", "server version"]) {
      assert(findings.some((finding) => finding.subject === subject && finding.state === "ok"), subject);
    }
    assertEquals(status, 0);
  });

  it("names in doctor what a user lacks", async () => {
    await practice.addUser({ name: "weak", rules: [] });
    const { status, out } = await runHawser(["doctor", "--kubeconfig", await home.kubeconfig("weak")], env);
    assertEquals(status, 1);
    assertStringIncludes(out, "FAIL services            not allowed: get, list, watch");
    assertStringIncludes(out, "hawser doctor --rbac -n dev");
  });

  it("completes from the cluster", async () => {
    if (!windows) { // under an emulator a start takes longer than Tab waits
      assertEquals((await runHawser(["__complete", "--", "forward", "w"], env)).out, "web\t80 http\n");
    }
    assertEquals((await runHawser(["__complete", "--", "connect", "--context", ""], env)).out, "practice\n");
  });
});
