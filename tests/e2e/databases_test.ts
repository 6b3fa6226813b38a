import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ListenerNote } from "../../src/cli/session_note.ts";
import { CertificateAuthority } from "../practice/certificate_authority.ts";
import { client, clientBytes, type ClientOptions } from "./client_program.ts";
import { databaseImage, databases, databaseUser } from "./databases.ts";
import { connectHawser, Home, runHawser, RunningHawser } from "./hawser.ts";
import { Scene } from "./scene.ts";

const { name: user, password } = databaseUser;
const env = { PGPASSWORD: password, MYSQL_PWD: password, REDISCLI_AUTH: password };
/** What a telnet to Redis says, and what it hears. */
const redisTalk = { input: `AUTH ${password}\r\nPING\r\nQUIT\r\n`, heard: /^\+OK\r\n\+PONG\r\n\+OK$/ };
/** Lines of 100 characters, 50 MB in all. */
const lines = 500_000;
/** Milliseconds of silence on the connections that idle: two of the tunnel's own signs of life, and one more. */
const silence = 25_000;

/** Where a database is on this machine. */
interface Place {
  readonly address: string;
  readonly port: number;
}

describe("Databases and their own clients", () => {
  const stack = new AsyncDisposableStack();
  let home: Home;
  let scene: Scene;
  let session = "";
  let proxy = 0;
  let listeners: readonly ListenerNote[] = [];
  let forwarding: RunningHawser;
  let forwards: ReadonlyMap<string, Place>;
  let authority = "";
  let data = "";
  let digest = "";
  let idle: Promise<string[]>;

  beforeAll(async () => {
    home = stack.use(await Home.open());
    scene = stack.use(await Scene.open("databases"));
    const ca = await CertificateAuthority.create("Databases");
    await scene.apply(
      ...databases(await ca.issue({ commonName: "server", names: ["postgres", "mariadb", "localhost"] })),
    );
    authority = join(home.folder, "authority.pem");
    data = join(home.folder, "data");
    await Deno.writeTextFile(authority, ca.certificate);
    digest = await writeLines(data);
    await started();

    const n = ["-n", scene.namespace];
    const { running, report } = await connectHawser(home, [...n, "--listen"]);
    stack.use(running);
    ({ session, port: proxy, listeners } = report);
    const targets = ["mariadb", ":3306", "postgres", ":5432", "redis", ":6379"];
    forwarding = stack.use(new RunningHawser(home, ["forward", ...n, "-o", "json", ...targets]));
    const told: { forwards: (Place & { target: string })[] } = JSON.parse(await forwarding.line());
    forwards = new Map(told.forwards.map((each) => [each.target, each]));
    idle = Promise.all([
      mariadb(at("mariadb"), ["-NB"], { input: beforeAndAfter("SELECT CONNECTION_ID();\n") }),
      psql(at("postgres"), ["-At"], { input: beforeAndAfter("SELECT pg_backend_pid();\n") }),
      redis(at("redis"), [], { input: beforeAndAfter("CLIENT ID\n") }),
    ]);
    idle.catch(() => {}); // it is the last test that asks
  });

  afterAll(() => stack.disposeAsync());

  /** Where `hawser forward` has put a database. */
  function at(name: string): Place {
    const place = forwards.get(name);
    assert(place, `hawser forward does not tell where "${name}" is`);
    return place;
  }

  it("answer queries through hawser forward", async () => {
    const answers = await everywhere((name) => at(name));
    assertEquals(answers, ["42", "42", "PONG"]);
  });

  it("answer queries at the addresses of connect --listen", async () => {
    const answers = await everywhere((name) => {
      const listener = listeners.find(({ service }) => service === name);
      assert(listener, `hawser connect --listen does not tell where "${name}" is`);
      return { address: listener.address, port: listener.localPort };
    });
    assertEquals(answers, ["42", "42", "PONG"]);
  });

  it("answer queries by their names through proxychains", async () => {
    const config = join(home.folder, "proxychains.conf");
    await Deno.writeTextFile(config, `strict_chain\nproxy_dns\n[ProxyList]\nsocks5 127.0.0.1 ${proxy}\n`);
    const chained = (...command: string[]) => client("proxychains4", ["-q", "-f", config, ...command], { env });
    const answers = await Promise.all([
      chained("mariadb", "-h", "mariadb", "-u", user, "-NBe", "SELECT 42"),
      chained("psql", "-h", `postgres.${scene.namespace}`, "-U", user, "-XAtc", "SELECT 42", "postgres"),
      chained("redis-cli", "-h", `redis.${scene.namespace}.svc.cluster.local`, "ping"),
    ]);
    assertEquals(answers, ["42", "42", "PONG"]);
  });

  it("answer curl, nc and socat over SOCKS5, SOCKS4a and CONNECT", async () => {
    const { input, heard } = redisTalk;
    const front = `127.0.0.1:${proxy}`;
    const answers = await Promise.all([
      client("curl", ["-sS", "-x", `socks5h://${front}`, "telnet://redis:6379"], { input }),
      client("curl", ["-sS", "-x", `socks4a://${front}`, "telnet://redis:6379"], { input }),
      client("curl", ["-sSp", "-x", `http://${front}`, "telnet://redis:6379"], { input }),
      client("nc", ["-X", "5", "-x", front, "redis", "6379"], { input }),
      client("nc", ["-X", "connect", "-x", front, "redis", "6379"], { input }),
      client("socat", ["-", `SOCKS4A:127.0.0.1:redis:6379,socksport=${proxy}`], { input }),
      client("socat", ["-", `PROXY:127.0.0.1:redis:6379,proxyport=${proxy}`], { input }),
    ]);
    for (const answer of answers) assertMatch(answer, heard);
  });

  it("answer a program under hawser run that opens a tunnel of its own", async () => {
    const script = `printf '${redisTalk.input}' | curl -sS telnet://redis:6379`;
    const { code, stdout, stderr } = await runHawser(home, ["run", "--session", session, "--", "sh", "-c", script]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout.trim(), redisTalk.heard);
  });

  it("answer JDBC drivers that have the properties of hawser env", async () => {
    const { stdout: flags } = await runHawser(home, ["env", "--session", session, "--shell", "jvm", "--java", "props"]);
    const jars = ["mariadb-java-client", "postgresql"].map((name) => `/usr/share/java/${name}.jar`);
    for (const jar of jars) {
      const there = await Deno.stat(jar).catch(() => undefined);
      assert(there, `There is no ${jar}: apt-get install libmariadb-java libpostgresql-jdbc-java`);
    }
    const program = new URL("clients/Query.java", import.meta.url).pathname;
    const answer = await client("java", [
      ...["-cp", jars.join(":"), ...flags.trim().split(" "), program, user, password],
      "jdbc:mariadb://mariadb:3306/shop?useServerPrepStmts=true",
      `jdbc:postgresql://postgres.${scene.namespace}:5432/postgres?prepareThreshold=1`,
    ]);
    assertEquals(answer.split("\n"), ["41", "42", "43", "41", "42", "43"]);
  });

  it("negotiate TLS and know the server by its name", async () => {
    const asked = ["-Atc", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"];
    const pg = (mode: string) => psql(at("postgres"), asked, {}, `sslrootcert=${authority} sslmode=${mode}`);
    const cipher = [
      "--ssl",
      `--ssl-ca=${authority}`,
      "--ssl-verify-server-cert",
      "-NBe",
      "SHOW STATUS LIKE 'Ssl_version'",
    ];
    const answers = await Promise.all([
      pg("disable"),
      pg("prefer"),
      pg("verify-full"),
      mariadb({ ...at("mariadb"), address: "localhost" }, cipher),
    ]);
    assertEquals(answers, ["f", "t", "t", "Ssl_version\tTLSv1.3"]);
  });

  it("prepare statements", async () => {
    const [ofMariadb, ofPostgres] = await Promise.all([
      mariadb(at("mariadb"), ["-NBe", "PREPARE p FROM 'SELECT ? + ?'; SET @a = 40, @b = 2; EXECUTE p USING @a, @b"]),
      psql(at("postgres"), ["-Atqc", "PREPARE p(int, int) AS SELECT $1 + $2", "-c", "EXECUTE p(40, 2)"]),
    ]);
    assertEquals([ofMariadb, ofPostgres], ["42", "42"]);
  });

  it("stop a query at Ctrl-C, for which their clients open another connection", async () => {
    const interrupted = ["--preserve-status", "-s", "INT", "1"];
    await Promise.all([
      client("timeout", [...interrupted, "psql", ...psqlArgs(at("postgres")), "-c", "SELECT pg_sleep(20)"], {
        env,
        code: 1,
      }),
      client("timeout", [...interrupted, "mariadb", ...mariadbArgs(at("mariadb")), "-e", "SELECT SLEEP(20)"], {
        env,
        code: 1,
      }),
    ]);
  });

  it("take 50 MB in and give them back: MariaDB", async () => {
    const create = "CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, line VARCHAR(100) CHARSET ascii)";
    const load = `LOAD DATA LOCAL INFILE '${data}' INTO TABLE big (line)`;
    await mariadb(at("mariadb"), ["--local-infile=1", "-e", `${create}; ${load}`, "shop"]);
    const args = [...mariadbArgs(at("mariadb")), "--quick", "-NBe", "SELECT line FROM big ORDER BY id", "shop"];
    assertEquals(sha256(await clientBytes("mariadb", args, { env })), digest);
  });

  it("take 50 MB in and give them back: PostgreSQL", async () => {
    const create = "CREATE UNLOGGED TABLE big (id SERIAL, line TEXT)";
    await psql(at("postgres"), ["-qc", create, "-c", `\\copy big (line) FROM '${data}'`]);
    const args = [...psqlArgs(at("postgres")), "-c", "COPY (SELECT line FROM big ORDER BY id) TO STDOUT"];
    assertEquals(sha256(await clientBytes("psql", args, { env })), digest);
  });

  it("take 50 MB in and give them back: Redis", async () => {
    await redis(at("redis"), ["-x", "SET", "big"], { input: await Deno.readTextFile(data) });
    const value = await clientBytes("redis-cli", [...redisArgs(at("redis")), "--raw", "GET", "big"], { env });
    assertEquals(sha256(value.subarray(0, -1)), digest); // redis-cli ends what it prints with a line feed
  });

  it("serve fifty connections at a time", async () => {
    const { address, port } = at("redis");
    const args = ["-h", address, "-p", `${port}`, "-a", password, "-c", "50", "-n", "5000", "-t", "set,get", "--csv"];
    const [, ...rows] = (await client("redis-benchmark", args)).split("\n");
    assertEquals(rows.map((row) => row.split(",")[0]), ['"SET"', '"GET"']);
  });

  it("keep connections that say nothing for long", async () => {
    for (const answer of await idle) {
      const [before, after, ...more] = answer.split("\n");
      assertMatch(before!, /^\d+$/);
      assertEquals([after, more], [before, []]);
    }
  });

  it("leave hawser forward nothing to complain about", () => {
    assertEquals(forwarding.stderr, "");
  });

  /** Asks each database for something simple, where `place` has it. */
  function everywhere(place: (name: string) => Place): Promise<string[]> {
    return Promise.all([
      mariadb(place("mariadb"), ["-NBe", "SELECT 42"]),
      psql(place("postgres"), ["-Atc", "SELECT 42"]),
      redis(place("redis"), ["ping"]),
    ]);
  }

  async function started(): Promise<void> {
    try {
      await scene.kubectl("wait", "pod", "--all", "--for=condition=Ready", "--timeout=60s");
    } catch (error) {
      const states = await scene.kubectl("get", "pods").catch(() => "");
      throw new Error(
        `The databases do not start. Their image is ${databaseImage}, or what HAWSER_E2E_DATABASES names: Debian with ` +
          `mariadb-server, postgresql and redis-server. ${error instanceof Error ? error.message : error}\n${states}`,
      );
    }
  }
});

function mariadbArgs({ address, port }: Place): string[] {
  return ["--no-defaults", "--protocol=tcp", "-h", address, "-P", `${port}`, "-u", user];
}

function mariadb(place: Place, args: readonly string[], options?: ClientOptions): Promise<string> {
  return client("mariadb", [...mariadbArgs(place), ...args], { env, ...options });
}

/** The server's name is the service's, as TLS should have it, wherever its address is. */
function psqlArgs({ address, port }: Place, more = ""): string[] {
  return ["-X", `host=postgres hostaddr=${address} port=${port} user=${user} dbname=postgres ${more}`];
}

function psql(place: Place, args: readonly string[], options?: ClientOptions, more?: string): Promise<string> {
  return client("psql", [...psqlArgs(place, more), ...args], { env, ...options });
}

function redisArgs({ address, port }: Place): string[] {
  return ["-h", address, "-p", `${port}`];
}

function redis(place: Place, args: readonly string[], options?: ClientOptions): Promise<string> {
  return client("redis-cli", [...redisArgs(place), ...args], { env, ...options });
}

/** Says the same twice, with a long silence between. */
async function* beforeAndAfter(text: string): AsyncGenerator<string> {
  yield text;
  await new Promise((resolve) => setTimeout(resolve, silence));
  yield text;
}

/** Fills a file with lines that compress badly and gives its digest. */
async function writeLines(path: string): Promise<string> {
  const bytes = new Uint8Array(65_000); // getRandomValues fills no more than 65,536
  crypto.getRandomValues(bytes);
  const row = bytes.toHex(); // 130,000 characters, of which each line takes 99 from another place
  let text = "";
  for (let line = 0; line < lines; line++) {
    const start = (line * 101) % (row.length - 99);
    text += `${row.slice(start, start + 99)}\n`;
  }
  await Deno.writeTextFile(path, text);
  return sha256(new TextEncoder().encode(text));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
