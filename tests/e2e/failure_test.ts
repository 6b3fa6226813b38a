import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { CertificateAuthority } from "../practice/certificate_authority.ts";
import { Home, runHawser } from "./hawser.ts";
import { apiServer, writeKubeconfig } from "./users.ts";

describe("a connect that cannot be had", () => {
  const stack = new AsyncDisposableStack();
  let home: Home;
  let host = "";
  /** One that the cluster does not know. */
  let authority: CertificateAuthority;

  beforeAll(async () => {
    home = stack.use(await Home.open());
    host = (await apiServer()).host;
    authority = await CertificateAuthority.create("nobody");
  });

  afterAll(() => stack.disposeAsync());

  /** Expects one sentence on stderr and nothing on stdout. */
  async function fails(args: readonly string[], status: number, said: RegExp, env: Record<string, string> = {}) {
    const ended = await runHawser(home.with(env), ["connect", "--port", "0", ...args]);
    assertEquals([ended.code, ended.stdout], [status, ""], ended.stderr);
    const [sentence = "", ...more] = ended.stderr.trimEnd().split("\n");
    assertStringIncludes(sentence, "hawser: ");
    assertMatch(sentence, said);
    assertEquals(more.filter((line) => !/^Try: hawser/.test(line)), [], "more than a sentence");
    assert(!/\bat .*:\d+:\d+|Error:/.test(ended.stderr), `a stack trace: ${ended.stderr}`);
  }

  async function written(name: string, text: string): Promise<string> {
    const file = `${home.folder}/${name}`;
    await Deno.writeTextFile(file, text);
    return file;
  }

  it("for want of a kubeconfig", async () => {
    await fails([], 1, /No kubeconfig.*/i, { KUBECONFIG: `${home.folder}/nowhere` });
    await fails(["--kubeconfig", `${home.folder}/nowhere`], 1, /nowhere/);
  });

  it("because the kubeconfig is empty, or none", async () => {
    await fails(["--kubeconfig", await written("empty", "")], 1, /empty/);
    await fails(["--kubeconfig", await written("broken", "{ not: [yaml")], 1, /broken/);
    await fails(["--kubeconfig", await written("other", "just: words")], 1, /other|context/);
  });

  it("because there is no such context", async () => {
    const file = await writeKubeconfig(`${home.folder}/contexts`, {});
    await fails(["--kubeconfig", file, "--context", "e2"], 1, /"e2".*"?e2e/);
  });

  it("because there is no such namespace", async () => {
    await fails(["-n", "kube-sistem"], 1, /no namespace "kube-sistem"\. Did you mean "kube-system"\?/);
  });

  it("because the server has another certificate authority", async () => {
    const cluster = {
      "certificate-authority": undefined,
      "certificate-authority-data": btoa(authority.certificate),
      "insecure-skip-tls-verify": undefined,
    };
    const file = await writeKubeconfig(`${home.folder}/authority`, { cluster });
    await fails(["--kubeconfig", file], 1, /certificate/);
  });

  it("because the user's certificate has expired", async () => {
    const { certificate, key } = await authority.issue({ commonName: "somebody", expired: true });
    const user = { "client-certificate-data": btoa(certificate), "client-key-data": btoa(key) };
    const file = await writeKubeconfig(`${home.folder}/expired`, { user });
    await fails(["--kubeconfig", file], 1, /certificate .*expired/);
  });

  it("because the server does not know the user", async () => {
    const file = await writeKubeconfig(`${home.folder}/unknown-user`, { user: { token: "of-nobody" } });
    await fails(["--kubeconfig", file], 1, /(401|credentials|Unauthorized)/);
  });

  it("because nothing listens at the server's address", async () => {
    const port = getAvailablePort();
    const file = await writeKubeconfig(`${home.folder}/closed`, { port });
    await fails(["--kubeconfig", file], 1, new RegExp(`127\\.0\\.0\\.1:${port}`));
  });

  it("because the server's name does not exist", async () => {
    const cluster = { server: "https://no-such-host.invalid:6443", "tls-server-name": host };
    const file = await writeKubeconfig(`${home.folder}/nameless`, { cluster });
    await fails(["--kubeconfig", file], 1, /no-such-host\.invalid/);
  });

  it("because what answers is no API server", async () => {
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("Welcome!"));
    const cluster = {
      server: `http://127.0.0.1:${server.addr.port}`,
      "certificate-authority-data": undefined,
      "tls-server-name": undefined,
    };
    const file = await writeKubeconfig(`${home.folder}/website`, { cluster });
    await fails(["--kubeconfig", file], 1, new RegExp(String(server.addr.port)));
  });

  it("because the command is spelled wrong", async () => {
    await fails(["--namespase", "x"], 2, /--namespase.*--namespace/);
    await fails(["--port", "70000"], 2, /70000/);
  });
});
