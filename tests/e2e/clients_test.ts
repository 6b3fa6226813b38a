import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CertificateAuthority, type Issued } from "../practice/certificate_authority.ts";
import { client, clientBytes, notInstalled, type Program } from "./client_program.ts";
import { connectHawser, Home, runHawser } from "./hawser.ts";
import { kubectl } from "./kubectl.ts";
import { deployment, image, type Manifest, service } from "./manifests.ts";
import { open } from "./proxy_client.ts";
import { Scene } from "./scene.ts";

/** Has Node as its entry point. */
const nodeImage = Deno.env.get("HAWSER_E2E_NODE") ?? "localhost/node:20";

/** Who answered, for which host; what the clients print. */
interface Answer {
  readonly name: string;
  readonly pod: string;
  readonly host: string;
  readonly path?: string;
  readonly protocol?: string;
  readonly told?: string;
}

describe("Clients that nobody here wrote", () => {
  const stack = new AsyncDisposableStack();
  /** Pods, by the name of their service. */
  const pods = new Map<string, string>();
  let home: Home;
  let scene: Scene;
  let other: Scene;
  let session = "";
  let front = "";
  let jvm: readonly string[] = [];
  let authority = "";
  let java: Promise<unknown>;
  let go: Promise<unknown>;
  let modernNode: Promise<string>;
  let web = "";
  let api = "";

  beforeAll(async () => {
    home = stack.use(await Home.open());
    const ca = await CertificateAuthority.create("Clients");
    authority = join(home.folder, "authority.pem");
    await Deno.writeTextFile(authority, ca.certificate);
    java = compileJava();
    go = client("go", ["build", "-o", join(home.folder, "get"), source("get.go")], { env: { CGO_ENABLED: "0" } });
    modernNode = client("npx", ["--yes", "node@22", "-p", "process.execPath"]);
    for (const each of [java, go, modernNode]) each.catch(() => {}); // whoever needs it says what is wrong with it

    scene = stack.use(await Scene.open("clients"));
    other = stack.use(await Scene.open("clients-other"));
    const tls = await ca.issue({ commonName: "server", names: ["secure", `secure.${scene.namespace}`] });
    const http = [{ port: 80, targetPort: 8080 }];
    await Promise.all([
      scene.apply(deployment("web"), service("web", { ports: http }), ...await secure(tls), ...files()),
      other.apply(deployment("api"), service("api", { ports: http })),
    ]);
    await Promise.all([
      scene.ready("deployment/web"),
      other.ready("deployment/api"),
      scene.kubectl("wait", "pod", "secure", "files", "--for=condition=Ready", "--timeout=60s"),
    ]);
    pods.set("web", (await scene.pods("web"))[0]!).set("api", (await other.pods("api"))[0]!).set("secure", "secure");

    const { running, report } = await connectHawser(home, ["-n", scene.namespace]);
    stack.use(running);
    session = report.session;
    front = `127.0.0.1:${report.port}`;
    jvm = (await runHawser(home, ["env", "--session", session, "--shell", "jvm", "--java", "props"])).stdout.trim()
      .split(" ");
    web = "http://web/";
    api = `http://api.${other.namespace}.svc.cluster.local/`;
  });

  afterAll(() => stack.disposeAsync());

  describe("curl", () => {
    for (const scheme of ["socks5h", "socks4a", "http"]) {
      it(`reaches services by their names through ${scheme}://`, async () => {
        const secured = `https://secure.${scene.namespace}/`;
        assertAnswers(await curl("-x", `${scheme}://${front}`, web, api, secured), [web, api, secured]);
      });
    }

    it("reaches services through CONNECT", async () => {
      assertAnswers(await curl("-px", `http://${front}`, web, api), [web, api]);
    });

    it("reaches a service by its address, and a pod by its own", async () => {
      const [address] = await scene.find(["service", "web"], "{.spec.clusterIP}");
      const [pod] = await scene.find(["pods", "-l", "app=web"], "{.items[0].status.podIP}");
      const [service, itself] = [`http://${address}/`, `http://${pod}:8080/`];
      const resolve = ["--resolve", `web:80:${address}`]; // socks5:// sends addresses, not names
      const answers = await Promise.all([
        curl("-x", `socks5://${front}`, ...resolve, web, service, itself),
        curl("-x", `socks4://${front}`, ...resolve, web, service, itself),
        curl("-x", `http://${front}`, web, service, itself),
      ]);
      for (const answer of answers) assertAnswers(answer, [web, service, itself], ["web", "web", "web"]);
    });

    it("keeps one connection to the proxy for several hosts", async () => {
      const lines = (await curl("-x", `http://${front}`, "-w", "connections: %{num_connects}\\n", web, api, web)).split(
        "\n",
      );
      assertAnswers(lines.filter((_, at) => at % 2 === 0).join("\n"), [web, api, web]);
      assertEquals(lines.filter((_, at) => at % 2 === 1), ["connections: 1", "connections: 0", "connections: 0"]);
    });

    it("asks two hundred times, fifty at once", async () => {
      // Into files: on one output curl mixes the pieces of answers that come at the same time.
      const folder = await Deno.makeTempDir();
      const pages = ["-Z", "--parallel-max", "50", "-o", `${folder}/#1`, `${web}?page=[1-200]`];
      for (const proxy of [["-x", `socks5h://${front}`], ["-x", `http://${front}`], ["-px", `http://${front}`]]) {
        await curl(...proxy, ...pages);
        const texts = Array.from({ length: 200 }, (_, at) => Deno.readTextFileSync(`${folder}/${at + 1}`).trimEnd());
        const answers = assertAnswers(texts.join("\n"), Array<string>(200).fill(web));
        assertEquals(new Set(answers.map(({ path }) => path)).size, 200);
      }
      await Deno.remove(folder, { recursive: true });
    });

    it("uploads once the service says Continue, and in chunks", async () => {
      const size = 3_000_000;
      const file = join(home.folder, "upload");
      await Deno.writeFile(file, new Uint8Array(size));
      for (const proxy of ["socks5h", "http"]) {
        const to = ["-x", `${proxy}://${front}`, "-i", "-X", "POST", `${web}sink`];
        const whole = await curl("-T", file, "-H", "Expect: 100-continue", ...to);
        assertMatch(whole, /^HTTP\/1\.1 100 Continue\r\n[^]*\r\n3000000$/);
        const chunks = await curl("-T", file, "-H", "Transfer-Encoding: chunked", ...to);
        assertMatch(chunks, /\r\n3000000$/);
      }
    });

    it("gets events as they happen", async () => {
      for (const proxy of ["socks5h", "http"]) {
        const args = ["-sSN", "--max-time", "3", "-x", `${proxy}://${front}`, `${web}events`];
        const events = await client("curl", args, { code: 28 }); // by then it has had three, and would wait for more for ever
        assertStringIncludes(events, "data: web 0\n\ndata: web 1");
      }
    });

    it("speaks HTTP/2 to a service", async () => {
      for (const proxy of [["-px", `http://${front}`], ["-x", `socks5h://${front}`]]) {
        const [answer] = assertAnswers(await curl("--http2-prior-knowledge", ...proxy, web), [web]);
        assertEquals(answer?.protocol, "HTTP/2.0");
      }
    });

    it("has to know the password where one is asked for", async () => {
      const { running, report } = await connectHawser(home, ["-n", scene.namespace, "--auth", "--name", "locked"]);
      await using _ = running;
      const { stdout } = await runHawser(home, ["env", "--session", "locked", "--shell", "json"]);
      const { username, password } = new URL(JSON.parse(stdout).HTTP_PROXY);
      for (const scheme of ["socks5h", "http"]) {
        const proxy = `${scheme}://127.0.0.1:${report.port}`;
        assertAnswers(await curl("-x", proxy, "-U", `${username}:${password}`, web), [web]);
        const refused = await client("curl", ["-sSf", "-x", proxy, web], { code: scheme === "http" ? 22 : 97 });
        assertEquals(refused, "");
      }
      const { code, stderr } = await runHawser(home, [
        "env",
        "--session",
        "locked",
        "--shell",
        "jvm",
        "--java",
        "props",
      ]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "--auth");
      const own = await runHawser(home, ["run", "--session", "locked", "--", "curl", "-sS", web]);
      assertAnswers(own.stdout.trim(), [web]);
    });
  });

  it("a program that asks the proxy itself for an upgrade gets it", async () => {
    const end = await open(Number(front.split(":")[1]));
    try {
      const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${btoa("0123456789abcdef")}`;
      await end.send(
        `GET http://secure/chat HTTP/1.1\r\nHost: secure\r\n${upgrade}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
      assertMatch(await end.head(), /^HTTP\/1\.1 101 /);
      await end.send([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]); // "hi", in a mask that changes nothing
      const [, length = 0] = await end.bytes(2);
      assertAnswers(await end.text(length), ["http://secure/"]);
    } finally {
      end.stream.close();
    }
  });

  it("wget reaches services under hawser run", async () => {
    const secured = "https://secure/";
    const answer = await wired("wget", ["-q", "-O", "-", `--ca-certificate=${authority}`, web, api, secured]);
    assertAnswers(answer, [web, api, secured]);
  });

  it("git clones over HTTP, under hawser run and through SOCKS", async () => {
    const head = await serveRepository();
    const url = `http://files.${scene.namespace}/shop.git`;
    const [run, socks] = [join(home.folder, "run"), join(home.folder, "socks")];
    await wired("git", ["clone", "-q", url, run]);
    await client("git", ["-c", `http.proxy=socks5h://${front}`, "clone", "-q", url, socks]);
    for (const cwd of [run, socks]) assertEquals(await client("git", ["rev-parse", "HEAD"], { cwd }), head);
  });

  describe("Java", () => {
    it("HttpURLConnection follows the properties of hawser env", async () => {
      const urls = [web, api, "https://secure/"];
      assertAnswers(await jvmFetch(jvm, "HttpURLConnection", urls), urls);
      const socksOnly = jvm.filter((flag) => flag.startsWith("-Dsocks"));
      assertEquals(socksOnly.length, 2, jvm.join(" "));
      assertAnswers(await jvmFetch(socksOnly, "HttpURLConnection", urls), urls);
    });

    it("java.net.http follows them", async () => {
      const urls = [web, api, "https://secure/"];
      assertAnswers(await jvmFetch(jvm, "HttpClient", urls), urls);
    });

    it("java.net.http opens WebSockets through them", async () => {
      const urls = ["ws://secure/", `wss://secure.${scene.namespace}/`];
      for (const { told } of assertAnswers(await jvmFetch(jvm, "WebSocket", urls), urls)) assertEquals(told, "hello");
    });

    it("new Socket(name) follows them", async () => {
      assertAnswers(await jvmFetch(jvm, "Socket", [web, api]), [web, api]);
    });
  });

  describe("Node", () => {
    it("reaches services by requests to the proxy and by tunnels that the program asks for", async () => {
      assertAnswers(await wired("node", [source("tunnel.cjs"), web, api]), [web, web, api, api]);
    });

    it("22 reaches services by fetch, node:http, node:https and WebSocket under hawser run", async () => {
      const urls = [web, api, "https://secure/"];
      const sockets = ["ws://secure/", "wss://secure/"];
      const program = await modernNode;
      const answer = await wired("node", [source("fetch.mjs"), ...urls, ...sockets], { program });
      assertAnswers(answer, [...urls.flatMap((url) => [url, url]), ...sockets]);
    });
  });

  it("Python's urllib and requests reach services under hawser run", async () => {
    const urls = [web, api, "https://secure/"];
    assertAnswers(await wired("python3", [source("get.py"), ...urls]), urls.flatMap((url) => [url, url]));
  });

  it("Go's net/http reaches services under hawser run", async () => {
    await go;
    const urls = [web, api, "https://secure/"];
    assertAnswers(await wired("go", urls, { program: join(home.folder, "get") }), urls);
  });

  it("a program under a hawser run of its own reaches services", async () => {
    const args = ["run", "-n", other.namespace, "--", "curl", "-sS", "http://api/"];
    const { code, stdout, stderr } = await runHawser(home, args);
    assertEquals([code, stderr], [0, ""]);
    assertAnswers(stdout.trim(), ["http://api/"]);
  });

  /** Checks that each line tells of the service and the pod that its URL means, asked for under that name. */
  function assertAnswers(output: string, urls: readonly string[], names = urls.map(serviceName)): Answer[] {
    const answers: Answer[] = output.split("\n").map((line) => {
      assert(line.startsWith("{"), `No answer of a service: ${output}`);
      return JSON.parse(line);
    });
    assertEquals(
      answers.map(({ name, pod, host }) => ({ name, pod, host })),
      urls.map((url, at) => ({ name: names[at], pod: pods.get(names[at]!), host: new URL(url).host })),
    );
    return answers;
  }

  /** curl, that says what goes wrong and knows who signed for `secure`. */
  function curl(...args: readonly string[]): Promise<string> {
    return client("curl", ["-sS", "--cacert", authority, ...args]);
  }

  /** Runs a program under `hawser run`; `program` is where it is, if not on PATH. It knows who signed for `secure`. */
  async function wired(name: Program, args: readonly string[], { program = name as string } = {}): Promise<string> {
    const trust = { SSL_CERT_FILE: authority, REQUESTS_CA_BUNDLE: authority, NODE_EXTRA_CA_CERTS: authority };
    const line = ["run", "--session", session, "--", program, ...args];
    const { code, stdout, stderr } = await runHawser(home.with(trust), line);
    if (code === 127) throw notInstalled(name);
    assertEquals(code, 0, `${program} ended with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  async function jvmFetch(flags: readonly string[], kind: string, urls: readonly string[]): Promise<string> {
    await java;
    const trust = [
      `-Djavax.net.ssl.trustStore=${home.folder}/trust.p12`,
      "-Djavax.net.ssl.trustStorePassword=changeit",
    ];
    return await client("java", [...flags, ...trust, "-cp", home.folder, "Fetch", kind, ...urls]);
  }

  async function compileJava(): Promise<void> {
    const trust = ["-keystore", join(home.folder, "trust.p12"), "-storepass", "changeit"];
    await Promise.all([
      client("javac", ["-d", home.folder, source("Fetch.java")]),
      client("keytool", ["-importcert", "-noprompt", "-file", authority, ...trust]),
    ]);
  }

  /** Puts a repository on the pod `files` and gives its newest commit. */
  async function serveRepository(): Promise<string> {
    const [work, bare] = [join(home.folder, "work"), join(home.folder, "shop.git")];
    const git = (cwd: string, ...args: string[]) =>
      client("git", ["-c", "user.name=Tester", "-c", "user.email=tester@example.com", ...args], { cwd });
    await client("git", ["init", "-q", work]);
    await Deno.writeFile(join(work, "blob"), crypto.getRandomValues(new Uint8Array(65_536)));
    await git(work, "add", "blob");
    await git(work, "commit", "-q", "-m", "First");
    await git(home.folder, "clone", "-q", "--bare", work, bare);
    await git(bare, "update-server-info");
    const archive = await clientBytes("tar", ["c", "-C", home.folder, "shop.git"]);
    const unpack = ["exec", "-i", "-n", scene.namespace, "files", "--", "sh", "-c", "base64 -d | tar x -C /srv"];
    await kubectl(unpack, archive.toBase64());
    return await git(work, "rev-parse", "HEAD");
  }
});

/** A pod that answers HTTP, HTTPS and WebSockets. */
async function secure(tls: Issued): Promise<Manifest[]> {
  const container = {
    name: "secure",
    image: nodeImage,
    args: ["-e", await Deno.readTextFile(source("secure_server.cjs"))],
    env: [{ name: "TLS_KEY", value: tls.key }, { name: "TLS_CERTIFICATE", value: tls.certificate }],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
  };
  const ports = [{ name: "http", port: 80, targetPort: 8080 }, { name: "https", port: 443, targetPort: 8443 }];
  return [pod("secure", container), service("secure", { ports })];
}

/** A pod that serves the files in its /srv. */
function files(): Manifest[] {
  const container = {
    name: "files",
    image,
    command: ["sh", "-c", "mkdir -p /srv; exec httpd -f -p 8080 -h /srv"],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  };
  return [pod("files", container), service("files", { ports: [{ port: 80, targetPort: 8080 }] })];
}

function pod(name: string, container: unknown): Manifest {
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } }, spec };
}

function source(name: string): string {
  return fileURLToPath(new URL(`clients/${name}`, import.meta.url));
}

/** The first label of a URL's host. */
function serviceName(url: string): string {
  return new URL(url).hostname.split(".")[0]!;
}
