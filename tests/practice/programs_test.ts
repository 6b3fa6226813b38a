import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { childProgram } from "./child_program.ts";
import type { PodObject } from "./pod_object.ts";
import { startPractice } from "./practice.ts";
import type { Practice } from "./practice.ts";
import { PracticeClient } from "./practice_client.ts";
import type { Program } from "./program.ts";

/** Asks the Service `app` of `dev`, from inside. */
async function ask(practice: Practice, path: string, body = ""): Promise<string> {
  const connection = await practice.dialFromPod("app.dev", 80);
  const head = `${
    body ? "POST" : "GET"
  } ${path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head + body));
  return await new Response(connection.readable).text();
}

describe("programs", () => {
  it("know their pod, and are ended with it", async () => {
    const seen: string[] = [];
    const program: Program = async (container) => {
      const { env, args, pod, name, image } = container;
      seen.push(`${pod.namespace} ${name} ${image} ${env.COLOR} ${args.join(",")}`);
      await container.listen(8080, async (connection) => {
        await connection.read();
        await connection.write("HTTP/1.1 204 Fine\r\n\r\n");
        connection.close();
      });
      container.signal.addEventListener("abort", () => seen.push("told"));
      container.log("serving");
      return () => void seen.push("ended");
    };
    await using practice = await startPractice({ programs: { mine: program } });
    await practice.addService({ namespace: "dev", name: "app", image: "mine", args: ["-v"], env: { COLOR: "blue" } });
    assertEquals(await ask(practice, "/"), "HTTP/1.1 204 Fine\r\n\r\n");
    const pod = practice.list<PodObject>("pods", "dev")[0]!;
    using client = new PracticeClient(practice);
    const { body } = await client.get(`/api/v1/namespaces/dev/pods/${pod.metadata.name}/log`);
    assertEquals(body, "serving\n");
    await practice.remove("deployments.apps", "dev", "app");
    assertEquals(seen, ["dev app mine blue -v", "told", "ended"]);
  });

  it("can be processes, with their ports", async () => {
    const script =
      'Deno.serve({ hostname: Deno.args[0], port: Number(Deno.args[1]), onListen: () => console.log("up") }, ' +
      '(request) => new Response(new URL(request.url).pathname + Deno.env.get("COLOR")));';
    const program = childProgram((container, ports) => ({
      command: Deno.execPath(),
      args: ["eval", script, container.address, String(ports.get(8080))],
    }));
    await using practice = await startPractice({ programs: { mine: program } });
    await practice.addService({ namespace: "dev", name: "app", image: "mine", env: { COLOR: "blue" } });
    assertStringIncludes(await ask(practice, "/path"), "/pathblue");
  });

  it("that end before they are ready crash their pod, with their output in its log", async () => {
    const args = ["eval", "console.error('no database'); Deno.exit(3)"];
    const program = childProgram(() => ({ command: Deno.execPath(), args }));
    await using practice = await startPractice({ programs: { mine: program } });
    await practice.addService({ namespace: "dev", name: "app", image: "mine" });
    const pod = practice.list<PodObject>("pods", "dev")[0]!;
    assertStringIncludes(JSON.stringify(pod.status), "CrashLoopBackOff");
    using client = new PracticeClient(practice);
    const { body } = await client.get<string>(`/api/v1/namespaces/dev/pods/${pod.metadata.name}/log`);
    assertStringIncludes(body, "no database");
    assertStringIncludes(body, "ended with status 3 before it was ready");
  });
});

describe("the workload", () => {
  it("answers HTTP in ways that tests can check", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "app" });
    const bytes = await ask(practice, "/bytes/200000");
    assertEquals(bytes.length - bytes.indexOf("\r\n\r\n") > 100_000, true);
    assertStringIncludes(await ask(practice, "/sink", "x".repeat(1234)), "1234\n");
    assertStringIncludes(await ask(practice, "/status/418"), "HTTP/1.1 418 ");
    const start = performance.now();
    assertStringIncludes(await ask(practice, "/slow/60"), "app app-");
    assert(performance.now() - start >= 55);
    const echo = JSON.parse((await ask(practice, "/any?x=1", "body")).split("\r\n\r\n")[1]!);
    assertEquals([echo.name, echo.method, echo.path, echo.host, echo.body], ["app", "POST", "/any?x=1", "app", "body"]);
  });

  it("sends events", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "app" });
    using connection = await practice.dialFromPod("app.dev", 80);
    await connection.write(new TextEncoder().encode("GET /events HTTP/1.1\r\nHost: app\r\n\r\n"));
    const buffer = new Uint8Array(4096);
    let text = "";
    while (!text.includes("data: app 1\n\n")) {
      text += new TextDecoder().decode(buffer.subarray(0, (await connection.read(buffer))!));
    }
  });

  it("speaks a small language over TCP", async () => {
    await using practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "app", ports: [{ port: 80, targetPort: 7000 }] });
    const say = async (text: string, end = true) => {
      const connection = await practice.dialFromPod("app.dev", 80);
      await connection.write(new TextEncoder().encode(text));
      if (end) await connection.closeWrite();
      return await new Response(connection.readable).text();
    };
    assertEquals(await say("echo\nabc"), "abc");
    assertEquals(await say("abc\ndef"), "abc\ndef");
    assertEquals(await say("sink\nabcdef"), "6\n");
    assertEquals(await say("close\n", false), "");
    const connection = await practice.dialFromPod("app.dev", 80);
    await connection.write(new TextEncoder().encode("source 300000\n"));
    assertEquals((await new Response(connection.readable).bytes()).length, 300_000);
  });
});
