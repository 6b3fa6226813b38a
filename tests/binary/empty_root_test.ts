/**
 * The self-extracting executable on a machine that has a shell and nothing else: no C library, no certificates, no /etc, no
 * Deno. Needs root for the chroot, a static busybox, curl, and `deno task compile self-extracting` before.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import manifest from "../../deno.json" with { type: "json" };
import { type Practice, startPractice } from "../practice/practice.ts";

const executable = `${import.meta.dirname}/../../dist/hawser-linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;

describe("the self-extracting executable in an empty root", () => {
  let root: string;
  let practice: Practice;

  beforeAll(async () => {
    root = await Deno.makeTempDir({ prefix: "hawser-empty-" });
    await Deno.mkdir(`${root}/bin`);
    await Deno.mkdir(`${root}/proc`);
    await Deno.copyFile("/bin/busybox", `${root}/bin/sh`);
    await Deno.copyFile(executable, `${root}/hawser`);
    practice = await startPractice();
    await practice.addService({ namespace: "dev", name: "orders", ports: [{ port: 80, targetPort: 8080 }] });
    await Deno.writeTextFile(`${root}/kubeconfig`, practice.kubeconfig("admin", { namespace: "dev" }));
  });

  afterAll(async () => {
    await practice.stop();
    await Deno.remove(root, { recursive: true });
  });

  /** Runs hawser in the root, with /proc as every container and machine has it, in a mount namespace that ends with it. */
  function hawser(...args: readonly string[]): Deno.Command {
    return inRoot('mount -t proc proc "$0/proc" && exec chroot "$0" /hawser "$@"', ...args);
  }

  function inRoot(script: string, ...args: readonly string[]): Deno.Command {
    return new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", script, root, ...args],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", KUBECONFIG: "/kubeconfig", HOME: "/home" },
      stdout: "piped",
      stderr: "piped",
    });
  }

  async function text(command: Deno.Command): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code, stdout, stderr } = await command.output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  it("says its version from two first starts at once", async () => {
    for (const { code, stdout, stderr } of await Promise.all([text(hawser("version")), text(hawser("version"))])) {
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertStringIncludes(stdout, manifest.version);
    }
    const unpacked = await Array.fromAsync(Deno.readDir(`${root}/home/.cache/hawser`));
    assertEquals(unpacked.length, 1);
    assertMatch(unpacked[0]!.name, /^app-[0-9a-f]{16}$/);
  });

  it("says what to do where it cannot run", async () => {
    const { code, stderr } = await text(inRoot('exec chroot "$0" /hawser version'));
    assertEquals(code, 1);
    assertMatch(stderr, /^hawser: \/proc is not mounted: .+\n$/);
  });

  it("does not start, and leaves nothing, where the file is damaged", async () => {
    await Deno.truncate(await copyOf(executable, `${root}/damaged`), 10_000_000);
    const script = 'mount -t proc proc "$0/proc" && HOME=/other exec chroot "$0" /damaged version';
    const { code, stderr } = await text(inRoot(script));
    assertEquals(code, 1);
    assertMatch(stderr, /^hawser: cannot unpack "\/damaged" into "\/other\/.cache\/hawser": /m);
    assertEquals(await Array.fromAsync(Deno.readDir(`${root}/other/.cache/hawser`)), []);
  });

  it("connects, and curl reaches a service through it", async () => {
    const port = getAvailablePort();
    await using connect = hawser("connect", "--port", String(port)).spawn();
    const reader = connect.stdout.getReader();
    await reader.read(); // it prints what it found once all listens
    const curl = await text(
      new Deno.Command("curl", {
        args: ["--silent", "--show-error", "--max-time", "10", "--proxy", `http://127.0.0.1:${port}`, "http://orders/"],
      }),
    );
    assertEquals({ code: curl.code, stderr: curl.stderr }, { code: 0, stderr: "" });
    assertStringIncludes(curl.stdout, "orders");
    connect.kill("SIGINT");
    assertEquals((await connect.status).code, 130);
    await reader.cancel();
    await connect.stderr.cancel();
  });
});

async function copyOf(from: string, to: string): Promise<string> {
  await Deno.copyFile(from, to);
  return to;
}
