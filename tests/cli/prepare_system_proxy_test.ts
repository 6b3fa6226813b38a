import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { prepareSystemProxy } from "../../src/cli/prepare_system_proxy.ts";
import type { RunningSession } from "../../src/cli/running_sessions.ts";
import { sweepSystemProxy } from "../../src/cli/sweep_system_proxy.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { Failure } from "../../src/platform/failure.ts";
import { userPaths } from "../../src/platform/paths.ts";
import { WindowsProxy } from "../../src/platform/windows_proxy.ts";
import { FakeRegistry } from "../platform/fake_registry.ts";
import { fakeDeps } from "./fake_deps.ts";
import { fakeNote } from "./fake_note.ts";

const key = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";

const session = (id: string): RunningSession => ({ note: fakeNote("dev", { id }), status: {} });

describe("--system-proxy", () => {
  let root: string;
  let registry: FakeRegistry;
  let proxy: WindowsProxy;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
    registry = new FakeRegistry();
    proxy = new WindowsProxy(root, { registry, announce() {} });
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const url = "http://127.0.0.1:1080/proxy.pac";
  const current = () => registry.read("HKCU", key, "AutoConfigURL")?.data;

  function prepare(
    sessions: RunningSession[],
    options = { port: undefined, auth: false } as { port?: number; auth: boolean },
  ) {
    const { deps } = fakeDeps(root, { os: "windows" });
    return prepareSystemProxy({ port: options.port, auth: options.auth }, {
      ...deps,
      proxy,
      sessions: () => Promise.resolve(sessions),
    });
  }

  it("is refused where the system's proxy is not the user's, with what to do instead", async () => {
    for (const os of ["linux", "darwin"] as const) {
      const { deps } = fakeDeps(root, { os });
      await assertRejects(
        () => prepareSystemProxy({ port: 1090, auth: false }, deps),
        UsageError,
        "hawser browser, or name the PAC file http://127.0.0.1:1090/proxy.pac",
      );
    }
  });

  it("is refused with a password, which no PAC file carries", async () => {
    await assertRejects(() => prepare([], { auth: true }), UsageError, "--auth");
  });

  it("is refused while another session has it", async () => {
    await proxy.take({ id: "one", pid: 1, url });
    await assertRejects(() => prepare([session("one")]), Failure, "hawser disconnect dev");
    assertEquals(current(), url);
  });

  it("first puts back what a dead session has left, also where its process id lives on", async () => {
    await proxy.take({ id: "one", pid: Deno.pid, url });
    await prepare([session("two")]);
    assertEquals([current(), await proxy.note()], [undefined, undefined]);
  });

  it("is refused where the user's own PAC file could not go on deciding", async () => {
    registry.write(key, "AutoConfigURL", { type: "REG_SZ", data: "file:///no/such.pac" });
    await assertRejects(() => prepare([]), Failure, "no/such.pac");
    assertEquals(current(), "file:///no/such.pac");
  });

  describe("that was killed", () => {
    const sweep = async (alive: boolean) => {
      const { deps, written } = fakeDeps(root);
      await sweepSystemProxy({ ...deps, proxy, alive: () => alive });
      await deps.terminal.flush();
      return written.err;
    };

    it("is not spoken of where nobody's home is known", async () => {
      const { deps, written } = fakeDeps(root);
      const paths = () => userPaths("windows", {});
      await sweepSystemProxy({ ...deps, paths });
      await deps.terminal.flush();
      assertEquals(written.err, "");
    });

    it("is undone at the next start of any command, with a word about it", async () => {
      await proxy.take({ id: "one", pid: 7, url });
      assertEquals(await sweep(true), "");
      assertEquals(current(), url);
      assertEquals(
        await sweep(false),
        "Windows's proxy settings are what they were before a hawser connect that was killed\n",
      );
      assertEquals(current(), undefined);
      assertEquals(await sweep(false), "");
    });

    it("does not keep a command from its work where it cannot be undone", async () => {
      await proxy.take({ id: "one", pid: 7, url });
      registry.refuse = new Failure("a policy forbids it");
      assertEquals((await sweep(false)).includes("still those of a hawser connect that was killed: a policy"), true);
    });
  });
});
