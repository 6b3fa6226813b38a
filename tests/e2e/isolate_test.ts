import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { probeIsolation } from "../../src/wiring/isolation/probe_isolation.ts";
import { Home, runHawser, RunningHawser } from "./hawser.ts";
import { deployment, service } from "./manifests.ts";
import { Scene } from "./scene.ts";

const probe = await probeIsolation({ os: Deno.build.os, env: Deno.env.toObject() });
const reason = probe.possible ? undefined : probe.reason;

/** A program of Go that no library stands between and the kernel. It fetches what it is told to. */
const source = `package main
import ("fmt"; "io"; "net/http"; "os")
func main() {
  for _, url := range os.Args[1:] {
    answer, err := http.Get(url)
    if err != nil { fmt.Println(err); os.Exit(1) }
    body, _ := io.ReadAll(answer.Body)
    fmt.Println(answer.StatusCode, len(body) > 0)
  }
}`;

describe(`run --isolate net, on a real cluster${reason ? ` (skipped: ${reason})` : ""}`, {
  ignore: reason !== undefined,
}, () => {
  const stack = new AsyncDisposableStack();
  let scene: Scene;
  let home: Home;

  beforeAll(async () => {
    scene = stack.use(await Scene.open("isolate"));
    home = stack.use(await Home.open());
    await scene.apply(
      deployment("web"),
      service("web", { ports: [{ name: "http", port: 80, targetPort: 8080 }, { name: "raw", port: 7000 }] }),
    );
    await scene.ready("deployment/web");
    await scene.serves("web", "");
  });
  afterAll(() => stack.disposeAsync());

  const unproxied = ["env", "-u", "HTTP_PROXY", "-u", "http_proxy", "-u", "ALL_PROXY", "-u", "all_proxy"];
  const run = (
    ...program: readonly string[]
  ) => ["run", "-n", scene.namespace, "--port", "0", "--isolate", "net", "--", ...unproxied, ...program];

  it("takes a static program of Go to names, ClusterIPs and pods", async () => {
    await Deno.writeTextFile(`${home.folder}/fetch.go`, source);
    const built = await new Deno.Command("go", {
      args: ["build", "-o", `${home.folder}/fetch`, `${home.folder}/fetch.go`],
      env: { CGO_ENABLED: "0", GOFLAGS: "-mod=mod" },
    }).output();
    assert(built.success, new TextDecoder().decode(built.stderr));
    const [clusterIP = ""] = await scene.find(["service", "web"], "{.spec.clusterIP}");
    const [podIP = ""] = await scene.find(["pods", "-l", "app=web"], "{.items[0].status.podIP}");
    const hosts = ["web", `web.${scene.namespace}`, `web.${scene.namespace}.svc.cluster.local`, clusterIP];
    const urls = [...hosts.map((host) => `http://${host}/`), `http://${podIP}:8080/`];
    const { code, stdout, stderr } = await runHawser(home, run(`${home.folder}/fetch`, ...urls));
    assertEquals([code, stdout, stderr], [0, "200 true\n".repeat(urls.length), ""]);
  });

  it("answers DNS over UDP and TCP with real addresses, whichever server is asked", async () => {
    const [clusterIP = ""] = await scene.find(["service", "web"], "{.spec.clusterIP}");
    const name = `web.${scene.namespace}.svc.cluster.local`;
    const code = `
      for (const nameServer of [undefined, { ipAddr: "192.0.2.53", port: 53 }]) {
        console.log(await Deno.resolveDns("${name}", "A", nameServer && { nameServer }));
      }
      const { stdout } = await new Deno.Command("getent", { args: ["ahostsv4", "web"] }).output();
      console.log(new TextDecoder().decode(stdout).split(" ")[0]);`;
    const { stdout, stderr } = await runHawser(home, run(Deno.execPath(), "eval", code));
    assertEquals([stdout, stderr], [`[ "${clusterIP}" ]\n[ "${clusterIP}" ]\n${clusterIP}\n`, ""]);
  });

  it("resets a connection to a port that no service has, instead of letting it hang", async () => {
    const code = `
      const conn = await Deno.connect({ hostname: "web", port: 81 });
      console.log(await conn.read(new Uint8Array(1)).catch((error) => error.name));`;
    const { stdout } = await runHawser(home, run(Deno.execPath(), "eval", code), 15_000);
    assertEquals(stdout, "ConnectionReset\n");
  });

  it("publishes what the program listens on, hands Ctrl-C to it, and passes its status on", async () => {
    const port = getAvailablePort();
    const code = `
      Deno.addSignalListener("SIGINT", () => Deno.exit(9));
      Deno.serve({ port: ${port}, onListen() {} }, () => new Response("from inside"));`;
    const running = new RunningHawser(home, run(Deno.execPath(), "eval", code));
    await running.says(new RegExp(`127\\.0\\.0\\.1: ${port}\\n`), 15_000);
    assertEquals(await fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text()), "from inside");
    const { code: status, stderr } = await running.stop();
    assertEquals(status, 9);
    assertMatch(stderr, /^\S+ The program's ports on this machine's 127\.0\.0\.1: \d+\n$/);
  });

  it("ends everything inside when hawser is killed", async () => {
    const mark = String(100_000 + Math.floor(Math.random() * 900_000));
    const running = new RunningHawser(home, run("sh", "-c", `sleep ${mark} & sleep ${mark}; echo no`));
    await until(async () => await sleeping(mark) === 2);
    running.kill("SIGKILL");
    await running.ended;
    await until(async () => await sleeping(mark) === 0);
  });

  it("carries large transfers whole", async () => {
    const code = `
      const answer = await fetch("http://web/bytes/50000000");
      let size = 0;
      for await (const piece of answer.body) size += piece.length;
      console.log(answer.status, size);`;
    const { stdout, stderr } = await runHawser(home, run(Deno.execPath(), "eval", code));
    assertEquals(stderr, "");
    assertStringIncludes(stdout, "50000000");
  });
});

/** How many processes sleep for so many seconds. */
async function sleeping(seconds: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    const line = /^\d+$/.test(name) ? await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "") : "";
    if (line === `sleep\x00${seconds}\x00`) count++;
  }
  return count;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come about within 10 s");
}
