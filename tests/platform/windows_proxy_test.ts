import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { WindowsProxy } from "../../src/platform/windows_proxy.ts";
import { FakeRegistry } from "./fake_registry.ts";

const key = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const ours = "http://127.0.0.1:1080/proxy.pac";
const corp = { type: "REG_EXPAND_SZ", data: "file://%APPDATA%/Jörg & Söhne.pac" } as const;

describe("WindowsProxy", () => {
  let state: string;
  let registry: FakeRegistry;
  let announced: number;
  let proxy: WindowsProxy;
  beforeEach(async () => {
    state = await Deno.makeTempDir();
    registry = new FakeRegistry();
    announced = 0;
    proxy = new WindowsProxy(state, { registry, announce: () => announced++ });
  });
  afterEach(() => Deno.remove(state, { recursive: true }));

  const take = (id = "one") => proxy.take({ id, pid: 7, url: ours });
  const current = () => registry.read("HKCU", key, "AutoConfigURL");

  it("sets the PAC file and removes it where there was none", async () => {
    await take();
    assertEquals(current(), { type: "REG_SZ", data: ours });
    assertEquals(await proxy.note(), { id: "one", pid: 7, url: ours, former: null });
    assertEquals(await proxy.giveBack("one"), true);
    assertEquals([current(), await proxy.note(), announced], [undefined, undefined, 2]);
  });

  it("puts the user's own back as it was, type and all", async () => {
    registry.write(key, "AutoConfigURL", corp);
    await take();
    await proxy.giveBack("one");
    assertEquals(current(), corp);
  });

  it("puts the user's own back, too, where two sessions have set theirs at once", async () => {
    registry.write(key, "AutoConfigURL", corp);
    await take("one");
    await proxy.take({ id: "two", pid: 8, url: "http://127.0.0.1:1081/proxy.pac" });
    assertEquals([await proxy.giveBack("one"), await proxy.giveBack("two")], [false, true]);
    assertEquals(current(), corp);
  });

  it("leaves alone what somebody else has set meanwhile", async () => {
    registry.write(key, "AutoConfigURL", corp);
    await take();
    const theirs = { type: "REG_SZ", data: "http://vpn.corp/proxy.pac" } as const;
    registry.write(key, "AutoConfigURL", theirs);
    assertEquals(await proxy.giveBack("one"), false);
    assertEquals([current(), await proxy.note(), announced], [theirs, undefined, 1]);
  });

  it("leaves alone what somebody has removed meanwhile", async () => {
    registry.write(key, "AutoConfigURL", corp);
    await take();
    registry.remove(key, "AutoConfigURL");
    assertEquals(await proxy.giveBack("one"), false);
    assertEquals(current(), undefined);
  });

  it("gives nothing back for a session that has not set it", async () => {
    assertEquals(await proxy.giveBack("one"), false);
    await take();
    assertEquals(await proxy.giveBack("other"), false);
    assertEquals(current()?.data, ours);
  });

  it("has noted what stood there before it changes anything", async () => {
    registry.write(key, "AutoConfigURL", corp);
    registry.refuse = new Failure("a policy forbids it");
    await assertRejects(() => take(), Failure, "a policy forbids it");
    assertEquals((await proxy.note())?.former, corp);
    registry.refuse = undefined;
    assertEquals(await proxy.giveBack("one"), false);
    assertEquals([current(), await proxy.note()], [corp, undefined]);
  });

  it("keeps away where the machine has one proxy for all users", async () => {
    registry.set(
      "HKLM",
      "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings",
      "ProxySettingsPerUser",
      { type: "REG_DWORD", data: 0 },
    );
    await assertRejects(() => take(), Failure, "use hawser browser");
    assertEquals(await proxy.note(), undefined);
  });

  it("knows the user's own settings, also while a session has set its own", async () => {
    assertEquals(await proxy.settings(), { autoConfigUrl: undefined, server: undefined, override: "" });
    registry.write(key, "AutoConfigURL", { type: "REG_SZ", data: "http://corp/p.pac" });
    registry.write(key, "ProxyEnable", { type: "REG_DWORD", data: 1 });
    registry.write(key, "ProxyServer", { type: "REG_SZ", data: "corp:3128" });
    registry.write(key, "ProxyOverride", { type: "REG_SZ", data: "<local>" });
    await take();
    assertEquals(await proxy.settings(), {
      autoConfigUrl: "http://corp/p.pac",
      server: "corp:3128",
      override: "<local>",
    });
    registry.write(key, "ProxyEnable", { type: "REG_DWORD", data: 0 });
    assertEquals((await proxy.settings()).server, undefined);
  });

  it("puts nothing anywhere by a note that is damaged", async () => {
    await take();
    for (
      const text of [
        "",
        "{",
        "null",
        '{"id":"one","pid":7,"url":1}',
        '{"id":"one","pid":7,"url":"u","former":{"type":"REG_SZ"}}',
      ]
    ) {
      await Deno.writeTextFile(`${state}/windows_proxy.json`, text);
      assertEquals(await proxy.giveBack("one"), false);
      assertEquals(current()?.data, ours);
    }
  });
});
