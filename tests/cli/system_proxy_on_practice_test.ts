import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type RegistryValue, windowsRegistry } from "../../src/platform/windows_registry.ts";
import { runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";
import { startHawser } from "./start_hawser.ts";

const windows = Deno.build.os === "windows";
const key = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const current = () => windowsRegistry.read("HKCU", key, "AutoConfigURL");

/** The one place where the machine's own settings are changed; what they were stands there again afterwards. */
describe("hawser connect --system-proxy", { ignore: !windows }, () => {
  let home: PracticeHome;
  let env: Readonly<Record<string, string>>;
  let former: RegistryValue | undefined;
  let pac: Deno.HttpServer<Deno.NetAddr>;
  const connect = ["connect", "--system-proxy", "--port", "0", "--no-dns", "-o", "json"];

  beforeAll(async () => {
    former = current();
    home = await openPracticeHome({ prefix: "A User " });
    env = home.env;
    pac = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response('function FindProxyForURL() { return "PROXY corp:3128"; }'),
    );
  });
  afterAll(async () => {
    if (former) windowsRegistry.write(key, "AutoConfigURL", former);
    else windowsRegistry.remove(key, "AutoConfigURL");
    await pac.shutdown();
    await home.close();
  });

  const theirs = () => ({ type: "REG_SZ", data: `http://127.0.0.1:${pac.addr.port}/corp.pac` }) as const;

  it("sets our PAC file, in which the user's own goes on deciding, and puts that back at disconnect", async () => {
    windowsRegistry.write(key, "AutoConfigURL", theirs());
    const session = await startHawser(connect, env);
    const { port } = JSON.parse(session.line);
    const url = `http://127.0.0.1:${port}/proxy.pac`;
    assertEquals(current(), { type: "REG_SZ", data: url });
    const find = new Function(`${await (await fetch(url)).text()}; return FindProxyForURL;`)();
    assertEquals(find("http://web/", "web"), `PROXY 127.0.0.1:${port}`);
    assertEquals(find("http://example.com/", "example.com"), "PROXY corp:3128");

    const second = await runHawser(connect, env);
    assertEquals([second.status, second.err.includes("has the system's proxy")], [1, true]);
    assertEquals((await runHawser(["disconnect"], env)).status, 0);
    await session.ended();
    assertEquals(current(), theirs());
  });

  for (const event of ["ctrlC", "ctrlBreak", "close", "logoff"] as const) {
    it(`is undone at ${event}`, async () => {
      windowsRegistry.write(key, "AutoConfigURL", theirs());
      const session = await startHawser(connect, env);
      assertStringIncludes(String(current()?.data), "/proxy.pac");
      assertEquals((await session.end(event)).code, 130);
      assertEquals(current(), theirs());
      assertEquals((await runHawser(["version"], env)).err, "");
    });
  }

  it("is undone by the next hawser where it was killed", async () => {
    windowsRegistry.remove(key, "AutoConfigURL");
    const session = await startHawser(connect, env);
    assertStringIncludes(String(current()?.data), "/proxy.pac");
    await session.end("SIGKILL");
    const { err } = await runHawser(["version"], env);
    assertStringIncludes(err, "what they were before");
    assertEquals(current(), undefined);
  });
});
