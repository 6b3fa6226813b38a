import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type RegistryValue, windowsRegistry } from "../../src/platform/windows_registry.ts";
import { sendConsoleEvent } from "../platform/console_event.ts";
import { type Practice, startPractice } from "../practice/practice.ts";
import { hawserCommand, runHawser } from "./hawser_process.ts";

const windows = Deno.build.os === "windows";
const key = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const current = () => windowsRegistry.read("HKCU", key, "AutoConfigURL");

/** A child, and the first line it prints. */
async function started(command: Deno.Command): Promise<{ child: Deno.ChildProcess; line: string }> {
  const child = command.spawn();
  let line = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended: ${await new Response(child.stderr).text()}`);
    line += value;
  }
  void reader.cancel();
  void child.stderr.cancel();
  return { child, line };
}

/** The one place where the machine's own settings are changed; what they were stands there again afterwards. */
describe("hawser connect --system-proxy", { ignore: !windows }, () => {
  let practice: Practice;
  let root: string;
  let env: Record<string, string>;
  let former: RegistryValue | undefined;
  let pac: Deno.HttpServer<Deno.NetAddr>;
  const connect = ["connect", "--system-proxy", "--port", "0", "--no-dns", "-o", "json"];

  beforeAll(async () => {
    former = current();
    practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "web", ports: [{ port: 80, targetPort: 8080 }], replicas: 1 });
    root = await Deno.makeTempDir({ prefix: "A User " });
    await Deno.writeTextFile(`${root}/kubeconfig`, practice.kubeconfig("admin", { namespace: "dev" }));
    env = {
      USERPROFILE: root,
      APPDATA: `${root}/roaming`,
      LOCALAPPDATA: `${root}/local`,
      KUBECONFIG: `${root}/kubeconfig`,
    };
    pac = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response('function FindProxyForURL() { return "PROXY corp:3128"; }'),
    );
  });
  afterAll(async () => {
    if (former) windowsRegistry.write(key, "AutoConfigURL", former);
    else windowsRegistry.remove(key, "AutoConfigURL");
    await pac.shutdown();
    await practice.stop();
    await Deno.remove(root, { recursive: true });
  });

  const theirs = () => ({ type: "REG_SZ", data: `http://127.0.0.1:${pac.addr.port}/corp.pac` }) as const;

  it("sets our PAC file, in which the user's own goes on deciding, and puts that back at disconnect", async () => {
    windowsRegistry.write(key, "AutoConfigURL", theirs());
    const { child, line } = await started(hawserCommand(connect, env));
    const url = `http://127.0.0.1:${JSON.parse(line).port}/proxy.pac`;
    assertEquals(current(), { type: "REG_SZ", data: url });
    const find = new Function(`${await (await fetch(url)).text()}; return FindProxyForURL;`)();
    assertEquals(find("http://web/", "web"), `PROXY 127.0.0.1:${JSON.parse(line).port}`);
    assertEquals(find("http://example.com/", "example.com"), "PROXY corp:3128");

    const second = await runHawser(connect, env);
    assertEquals([second.status, second.err.includes("has the system's proxy")], [1, true]);
    assertEquals((await runHawser(["disconnect"], env)).status, 0);
    await child.status;
    assertEquals(current(), theirs());
  });

  for (const event of ["ctrlC", "ctrlBreak", "close", "logoff"] as const) {
    it(`is undone at ${event}`, async () => {
      windowsRegistry.write(key, "AutoConfigURL", theirs());
      const { child } = await started(hawserCommand(connect, env));
      assertStringIncludes(String(current()?.data), "/proxy.pac");
      await sendConsoleEvent(child.pid, event, 5_000);
      assertEquals((await child.status).code, 130);
      assertEquals(current(), theirs());
      assertEquals((await runHawser(["version"], env)).err, "");
    });
  }

  it("is undone by the next hawser where it was killed", async () => {
    windowsRegistry.remove(key, "AutoConfigURL");
    const { child } = await started(hawserCommand(connect, env));
    assertStringIncludes(String(current()?.data), "/proxy.pac");
    child.kill("SIGKILL");
    await child.status;
    const { err } = await runHawser(["version"], env);
    assertStringIncludes(err, "what they were before");
    assertEquals(current(), undefined);
  });
});
