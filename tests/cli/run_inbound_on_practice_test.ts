import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { objectsOf } from "../inbound/scene.ts";
import { sendConsoleEvent } from "../platform/console_event.ts";
import type { Practice } from "../practice/practice.ts";
import { hawserCommand, runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";

const windows = Deno.build.os === "windows";

/** Answers on the port that is its argument, says the mark it was given, and ends with status 7 when it is asked for `/end`. */
const program = `
  const server = Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen() {} }, (request) => {
    if (new URL(request.url).pathname === "/end") setTimeout(() => Deno.exit(7), 100);
    return new Response("from the program");
  });
  Deno.addSignalListener("SIGINT", () => Deno.exit(9));
  console.log("mark " + Deno.env.get("HAWSER_MARK"));
`;

/** A hawser that goes on running; what it says on stderr can be waited for. */
function started(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = hawserCommand(args, env).spawn();
  const out = new Response(child.stdout).text();
  let err = "";
  let wake = () => {};
  const collected = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      err += text;
      wake();
    }
  })();
  return {
    pid: child.pid,
    kill: (signal: Deno.Signal) => child.kill(signal),
    /** Rejects where it ends without. */
    async says(what: RegExp): Promise<void> {
      const ended = collected.then(() => {
        if (!what.test(err)) throw new Error(`it ended without ${what}: ${err}`);
      });
      while (!what.test(err)) await Promise.race([ended, new Promise<void>((resolve) => wake = resolve)]);
    },
    async ended() {
      const { code } = await child.status;
      await collected;
      return { code, out: await out, err };
    },
  };
}

/** What a caller inside the cluster gets from a service of `dev`. */
async function ask(practice: Practice, service: string, path: string, headers = ""): Promise<string> {
  const connection = await practice.dialFromPod(`${service}.dev`, 80);
  const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;
  await connection.write(new TextEncoder().encode(head));
  return (await new Response(connection.readable).text()).includes("from the program") ? "program" : "pod";
}

describe("run with --exchange and --mesh", () => {
  let home: PracticeHome;
  let practice: Practice;
  let root: string;
  let env: Record<string, string>;
  let before: string[];
  let port: number;

  beforeAll(async () => {
    const services = ["orders", "stock"].map((name) => ({ name, ports: [{ port: 80, targetPort: "http" }] }));
    home = await openPracticeHome({ services });
    ({ practice, root } = home);
    await Deno.writeTextFile(`${root}/program.ts`, program);
    env = { ...home.env, USER: "alice" };
    before = objectsOf(practice);
    port = getAvailablePort();
  });
  afterAll(() => home.close());

  const command = () => ["--", Deno.execPath(), "run", "-A", `${root}/program.ts`, `${port}`];
  const run = (...flags: string[]) => ["run", "--port", "0", ...flags, ...command()];

  it("brings traffic to the program, tells it its mark, and passes its status on when all is as before", async () => {
    const flags = ["--exchange", `orders:${port}`, "--mesh", `stock:${port}:80`, "--version-mark", "blue"];
    const running = started(run(...flags, "--log-level", "info"), env);
    await running.says(/Ready: .* answers for "orders", "stock"/);
    await practice.settled();
    assertEquals(await ask(practice, "orders", "/orders?token=secret"), "program");
    assertEquals(await ask(practice, "stock", "/", "Version: blue\r\n"), "program");
    assertEquals(await ask(practice, "stock", "/"), "pod");
    await running.says(/info: orders:80 <- [^ ]+ GET \/orders 200, /);
    assertEquals(await ask(practice, "orders", "/end"), "program");
    const { code, out, err } = await running.ended();
    assertEquals([code, out], [7, "mark version:blue\n"]);
    assertStringIncludes(err, 'Service "orders" is what it was, and nothing is left.');
    assertStringIncludes(err, 'Service "stock" is what it was, and nothing is left.');
    assertStringIncludes(err, "curl -H 'version: blue'");
    assertEquals(err.includes("token"), false);
    await practice.settled();
    assertEquals(objectsOf(practice), before);
    assertEquals(await ask(practice, "orders", "/"), "pod");
  });

  it("does not tell of itself where it both exchanges and meshes a service, and explains it once", async () => {
    const running = started(run("--exchange", `orders:${port}`, "--mesh", `orders:${port}`), env);
    await running.says(/Ready: /);
    assertEquals(await (await fetch(`http://127.0.0.1:${port}/end`)).text(), "from the program");
    const { code, err } = await running.ended();
    assertEquals(code, 7);
    assertEquals(/has joined|has left|is away|goes on/.exec(err), null, err);
    assertEquals(err.match(/ -> 127\.0\.0\.1/g)?.length, 2, err);
    assertEquals(err.match(/Service "orders" is what it was/g)?.length, 1, err);
    assertEquals(err.match(/In the cluster until you end it/g)?.length, 1, err);
    assertEquals(err.match(/In another terminal here/g)?.length, 1, err);
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("goes on while somebody recovers the service, and says so", async () => {
    const running = started(run("--exchange", `orders:${port}`), env);
    await running.says(/Ready: /);
    assertEquals((await runHawser(["recover", "orders"], env)).status, 0);
    await running.says(/Service "orders" was recovered: .* goes on/);
    await practice.settled();
    assertEquals(await ask(practice, "orders", "/"), "pod");
    assertEquals(await (await fetch(`http://127.0.0.1:${port}/end`)).text(), "from the program");
    assertEquals((await running.ended()).code, 7);
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("starts no program where one of the services cannot be had, and undoes the others", async () => {
    const { status, out, err } = await runHawser(
      run("--exchange", `orders:${port}`, "--mesh", `stocks:${port}`),
      env,
    );
    assertEquals([status, out], [1, ""]);
    assertStringIncludes(err, 'There is no service "stocks" in namespace "dev". Did you mean "stock"?');
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("says what is misused, and that there is no such program, before anything is changed", async () => {
    const words = async (...args: string[]) => {
      const { status, err } = await runHawser(["run", ...args], env);
      return [status, err.split("\n")[0]];
    };
    const none = await words("--exchange", `orders:${port}`, "--", "no-such-program");
    assertEquals(none[0], 127);
    assertEquals((await words("--exchange", "orders", ...command()))[0], 2);
    assertEquals((await words("--exchange", "orders:web:80", ...command()))[0], 2);
    assertEquals((await words("--version-mark", "blue", ...command()))[0], 2);
    assertMatch(String((await words("--session", "dev", "--mesh", "orders:1", ...command()))[1]), /--session out/);
    assertEquals(objectsOf(practice), before);
  });

  it("puts everything back while Windows closes the console, and ends the program", { ignore: !windows }, async () => {
    const running = started(run("--exchange", `orders:${port}`), env);
    await running.says(/Ready: /);
    assertEquals(await sendConsoleEvent(running.pid, "close", 500), false, "Windows would have ended it by now");
    const { code, err } = await running.ended();
    assertEquals(code, 130);
    assertStringIncludes(err, 'Service "orders" is what it was, and nothing is left.');
    await practice.settled();
    assertEquals(objectsOf(practice), before);
    Deno.listen({ hostname: "127.0.0.1", port }).close(); // the program is gone
  });

  it("leaves Ctrl-C and Ctrl-Break to the program on Windows", { ignore: !windows }, async () => {
    const running = started(run("--exchange", `orders:${port}`), env);
    await running.says(/Ready: /);
    for (const event of ["ctrlC", "ctrlBreak"] as const) {
      assertEquals(await sendConsoleEvent(running.pid, event, 5_000), true);
    }
    assertEquals(await ask(practice, "orders", "/end"), "program");
    assertEquals((await running.ended()).code, 7);
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it("gives the program Ctrl-C, and puts everything back then", { ignore: windows }, async () => {
    const running = started(run("--exchange", `orders:${port}`), env);
    await running.says(/Ready: /);
    running.kill("SIGINT");
    assertEquals((await running.ended()).code, 9);
    await practice.settled();
    assertEquals(objectsOf(practice), before);
  });

  it(
    "leaves at once at a Ctrl-C while it puts things back, and says what finishes it",
    { ignore: windows },
    async () => {
      const running = started(run("--exchange", `orders:${port}`), env);
      await running.says(/Ready: /);
      running.kill("SIGINT");
      await running.says(/Putting back "orders"/);
      running.kill("SIGINT");
      const { code, err } = await running.ended();
      assertEquals(code, 130);
      assertMatch(err, /This finishes it: hawser recover orders -n dev\n$/);
      await practice.settled();
      assertEquals(await ask(practice, "orders", "/"), "pod");
    },
  );
});
