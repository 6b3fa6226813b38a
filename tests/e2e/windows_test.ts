import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { InboundScene, nodeImage } from "./inbound_scene.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Runs Deno's Windows build under Wine in the current folder; loopback is shared. */
const windows = `${root}../shared/windows/run`;

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What a program under Windows said and how it ended. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe("hawser on Windows, as an ordinary user, on a real cluster", { ignore: !isThere(windows) }, () => {
  const stack = new AsyncDisposableStack();
  /** Below the checkout, which is all that both sides see. */
  const kubeconfig = "dist/windows.kubeconfig";
  let inbound: InboundScene;

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("windows"));
    await inbound.serve("orders");
    await Deno.mkdir(`${root}dist`, { recursive: true });
    await Deno.copyFile(inbound.home.env.KUBECONFIG!, root + kubeconfig);
    stack.defer(() => Deno.remove(root + kubeconfig));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "scripts/bundle.ts"],
      cwd: root,
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  });
  afterAll(() => stack.disposeAsync());

  function command(...args: readonly string[]): Deno.Command {
    const env = { ...Deno.env.toObject(), KUBECONFIG_WINDOWS: kubeconfig };
    return new Deno.Command(windows, {
      args: [...args],
      cwd: root,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs a program under Windows to its end: hawser, unless it begins with `--cmd`. */
  async function run(...args: readonly string[]): Promise<Ended> {
    const words = args[0] === "--cmd" ? args : ["run", "-A", "dist/bundle/main.js", ...args];
    const { code, stdout, stderr } = await command(...words).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** Starts hawser, and waits for its first line. */
  async function started(...args: readonly string[]) {
    const child = command("run", "-A", "dist/bundle/main.js", ...args).spawn();
    const output = child.stdout.pipeThrough(new TextDecoderStream());
    const complaints = new Response(child.stderr).text();
    for await (const text of output.values({ preventCancel: true })) if (text.includes("\n")) break;
    return {
      async ended(): Promise<number> {
        await Promise.all([output.cancel(), complaints]);
        return (await child.status).code;
      },
      async kill(): Promise<void> {
        child.kill("SIGKILL"); // Wine's loader is the process itself
        await this.ended();
      },
    };
  }

  it("connects, wires shells, and disconnects", async () => {
    const port = getAvailablePort();
    const session = await started("connect", "--port", `${port}`, "--name", "wine", "-o", "json");
    try {
      const curl = new Deno.Command("curl", { args: ["-s", "-x", `http://127.0.0.1:${port}`, "http://web/"] });
      assertStringIncludes(new TextDecoder().decode((await curl.output()).stdout), "web");
      assertStringIncludes((await run("status")).stdout, "wine");
      const powershell = await run("env", "--shell", "powershell");
      assertStringIncludes(powershell.stdout, `$env:HTTP_PROXY = 'http://127.0.0.1:${port}'`);
      const cmd = await run("env", "--shell", "cmd");
      assertMatch(cmd.stdout, /^@set JAVA_TOOL_OPTIONS=-javaagent:C:\\users\\dev\\/m);
      const file = "dist\\wired.cmd";
      await Deno.writeTextFile(`${root}dist/wired.cmd`, cmd.stdout.replaceAll("\n", "\r\n"));
      const called = await run("--cmd", `call ${file}&&set HTTP_PROXY&&set NODE_OPTIONS`);
      assertStringIncludes(called.stdout, `HTTP_PROXY=http://127.0.0.1:${port}`);
      assertMatch(called.stdout, /NODE_OPTIONS=--require "C:\\\\users/);
      await Deno.remove(`${root}dist/wired.cmd`);
    } finally {
      assertEquals((await run("disconnect", "wine")).code, 0);
      assertEquals(await session.ended(), 0);
    }
    assertEquals(JSON.parse((await run("status", "-o", "json")).stdout), { sessions: [] });
  });

  it("runs a program that finds services by name, and passes its status on", async () => {
    const program = "console.log(await (await fetch('http://web/')).text()); Deno.exit(7)";
    const { code, stdout, stderr } = await run("run", "--port", "0", "--", "deno", "eval", program);
    assertEquals([code, stdout.trim()], [7, "web"], stderr);
  });

  it("forwards a port", async () => {
    const port = getAvailablePort();
    const forward = await started("forward", "web", `${port}:80`, "-o", "json");
    assertEquals((await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim(), "web");
    await forward.kill();
  });

  it("answers a service by a program while that runs, and puts everything back", async () => {
    const before = await inbound.state("orders");
    const port = getAvailablePort();
    const program = `Deno.serve({ port: ${port}, hostname: "127.0.0.1", onListen() {} }, (request) => {
      if (request.url.endsWith("/end")) setTimeout(() => Deno.exit(7), 200);
      return new Response("laptop");
    })`.replaceAll("\n", " ");
    const child = command(
      ...["run", "-A", "dist/bundle/main.js", "run", "--port", "0", "--agent-image", nodeImage],
      ...["--exchange", `orders:${port}:80`, "--", "deno", "eval", program],
    ).spawn();
    const [output, complaints] = [new Response(child.stdout).text(), new Response(child.stderr).text()];
    await inbound.answers("orders", "laptop", 60_000);
    await (await fetch(`http://127.0.0.1:${port}/end`)).text();
    const { code } = await child.status;
    assertEquals([code, await output], [7, ""], await complaints);
    await inbound.restored("orders", before);
  });

  it("puts a service back within the seconds that Windows grants a closed console", async () => {
    const before = await inbound.state("orders");
    const port = getAvailablePort();
    const program = `Deno.serve({ port: ${port}, hostname: "127.0.0.1", onListen() {} }, () => new Response("laptop"))`;
    const hawser = ["deno", "run", "-A", "dist/bundle/main.js"];
    const flags = ["--agent-image", nodeImage];
    for (
      const [word, ...args] of [
        ["Ctrl-C puts", "exchange", "orders", "--expose", `${port}:80`, ...flags],
        ["Ready: ", "run", "--port", "0", ...flags, "--exchange", `orders:${port}:80`, "--", "deno", "eval", program],
      ]
    ) {
      const { stdout, stderr } = await command("run", "-A", "tests/e2e/closed_console.ts", word!, ...hawser, ...args)
        .output();
      const text = new TextDecoder();
      const { code, took, text: said } = JSON.parse(
        text.decode(stdout) || `{"text":${JSON.stringify(text.decode(stderr))}}`,
      );
      assertEquals(code, 130, said);
      assertStringIncludes(said, 'Service "orders" is what it was, and nothing is left.');
      assert(took < 5_000, `it took ${took} ms`);
      await inbound.restored("orders", before);
    }
  });
});
