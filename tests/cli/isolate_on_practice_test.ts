import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { probeIsolation } from "../../src/wiring/isolation/probe_isolation.ts";
import { runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";

const probe = await probeIsolation({ os: Deno.build.os, env: Deno.env.toObject() });
const reason = probe.possible ? undefined : probe.reason;

describe(`run --isolate net on a practice cluster${reason ? ` (skipped: ${reason})` : ""}`, {
  ignore: reason !== undefined,
}, () => {
  let home: PracticeHome;
  let root: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    home = await openPracticeHome();
    root = home.root;
    env = { ...home.env, XDG_RUNTIME_DIR: root };
  });
  afterAll(() => home.close());

  /** Runs code in an isolated Deno that knows of no proxy. */
  async function inside(code: string, flags: readonly string[] = []) {
    const program = ["env", "-u", "HTTP_PROXY", "-u", "http_proxy", "-u", "ALL_PROXY", "-u", "all_proxy"];
    return await runHawser(
      ["run", "--isolate", "net", ...flags, "--", ...program, Deno.execPath(), "eval", "--unstable-net", code],
      env,
    );
  }

  it("lets a program reach a service by name and by address, and passes its status on", async () => {
    const { out, err, status } = await inside(`
      console.log((await fetch("http://web/status/201")).status);
      const [address] = await Deno.resolveDns("web.dev.svc.cluster.local", "A");
      console.log((await fetch("http://" + address + "/status/202")).status);
      Deno.exit(7);`);
    assertEquals([out, err, status], ["201\n202\n", "", 7]);
  });

  it("says once why a connection cannot be had, which the program sees reset", async () => {
    const { out, err, status } = await inside(`
      for (let time = 0; time < 2; time++) {
        const connection = await Deno.connect({ hostname: "web", port: 81 });
        await connection.read(new Uint8Array(1)).catch((error) => console.log(error.name));
      }`);
    assertEquals([out, status], ["ConnectionReset\nConnectionReset\n", 0]);
    assertEquals(err.match(/warn/g)?.length, 1);
    assertStringIncludes(err, 'Service "web" in namespace "dev" has no port 81');
  });

  it("gives the program the host's loopback where nothing of its own listens, with no rights over its network", async () => {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("host"));
    try {
      const { out, err } = await inside(`
        console.log(await (await fetch("http://127.0.0.1:${server.addr.port}/")).text());
        console.log(/CapEff:\\s*0+$/m.test(await Deno.readTextFile("/proc/self/status")));`);
      assertEquals([out, err], ["host\ntrue\n", ""]);
    } finally {
      await server.shutdown();
    }
  });

  it("publishes the program's port here, and tells where", async () => {
    // The program asks itself from outside, through a file: it ends once somebody has come.
    const code = `
      const done = Promise.withResolvers();
      const server = Deno.serve({ port: 0, onListen: ({ port }) => Deno.writeTextFileSync("${root}/port", String(port)) },
        () => { setTimeout(done.resolve, 50); return new Response("inside"); });
      await done.promise;
      await server.shutdown();`;
    const running = inside(code);
    let answer: string | undefined;
    while (answer === undefined) {
      const port = await Deno.readTextFile(`${root}/port`).catch(() => "");
      answer = await fetch(`http://127.0.0.1:${port || 1}/`).then((it) => it.text(), () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { err, status } = await running;
    assertEquals([answer, status], ["inside", 0]);
    assertMatch(err, /The program's ports on this machine's 127\.0\.0\.1: \d+\n$/);
  });

  it("leaves no process and no folder behind", async () => {
    const { status } = await inside(`
      new Deno.Command("sleep", { args: ["3217"] }).spawn().unref();`);
    assertEquals(status, 0);
    const left = [];
    for await (const { name } of Deno.readDir("/proc")) {
      const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
      if (line === "sleep\x003217\x00") left.push(name);
    }
    assertEquals(left, []);
    const entries = await Array.fromAsync(Deno.readDir(root), ({ name }) => name);
    assertEquals(entries.filter((name) => name.startsWith("hawser-isolation-")), []);
  });

  it("says that hooks which were asked for are off", async () => {
    const { err, status } = await inside("", ["--java", "props", "--python", "hook"]);
    assertEquals(status, 0);
    assertStringIncludes(
      err,
      "--java props and --python hook are off: the program's own network leads to the cluster\n",
    );
  });

  it("lets a hawser within know that it is isolated already", async () => {
    const { out } = await inside("console.log(JSON.stringify(Deno.env.toObject()))");
    assertEquals(await probeIsolation({ os: "linux", env: JSON.parse(out) }), {
      possible: false,
      reason: "hawser itself runs in such a network already, which leads to the cluster",
    });
  });

  it("is not for a session that another process holds", async () => {
    const { err, status } = await runHawser(["run", "--session", "dev", "--isolate", "net", "--", "true"], env);
    assertEquals(status, 2);
    assertStringIncludes(err, "--isolate connects on its own");
  });
});
