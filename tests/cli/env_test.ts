import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { readOptions } from "../../src/cli/define_command.ts";
import type { CliDeps } from "../../src/cli/deps.ts";
import { env } from "../../src/cli/env.ts";
import type { EnvInvocation } from "../../src/cli/grammar/env.ts";
import { wiringFlags } from "../../src/cli/grammar/wiring_flags.ts";
import { variableFlags } from "../../src/cli/grammar/workload_flags.ts";
import { type SessionNote, SessionNotes } from "../../src/cli/session_note.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { Failure } from "../../src/platform/failure.ts";
import { programVariables, unwired, withFormer } from "../../src/wiring/variables.ts";
import { fakeDeps, noGlobals, runMain } from "./fake_deps.ts";
import { fakeNote } from "./fake_note.ts";

const nothing: EnvInvocation["options"] = {
  ...noGlobals,
  ...readOptions({ ...wiringFlags, ...variableFlags }, new Map()),
  session: undefined,
  shell: undefined,
  unset: false,
  hosts: false,
};

describe("hawser env --unset", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  async function unset(processEnv: Readonly<Record<string, string>>) {
    const { deps, written } = fakeDeps(root);
    const options = { ...nothing, shell: "bash", unset: true } as const;
    assertEquals(await env({ options, words: [] }, { ...deps, processEnv }), 0);
    await deps.terminal.flush();
    return written;
  }

  it("puts the user's own values back and removes the rest", async () => {
    const own = { HTTP_PROXY: "http://corp:3128", NO_PROXY: "corp" };
    const variables = programVariables({ port: 1, auth: undefined }, own, "linux");
    const { out } = await unset({ ...own, ...withFormer(variables, own, "linux") });
    const lines = out.trim().split("\n");
    assertEquals(lines.filter((line) => line.startsWith("export")).sort(), [
      "export HTTP_PROXY='http://corp:3128'",
      "export NO_PROXY='corp'",
    ]);
    assertEquals(lines.includes("unset http_proxy") && lines.includes("unset HAWSER_FORMER_ENV"), true);
  });

  it("has nothing to undo in a shell that is not wired", async () => {
    const { out, err } = await unset({ HTTP_PROXY: "http://corp:3128" });
    assertEquals(out, "");
    assertStringIncludes(err, "Nothing to undo");
  });
});

describe("hawser env", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const listener = (service: string, namespace: string, port: number, address: string, localPort = port) => ({
    service,
    namespace,
    port,
    address,
    localPort,
  });
  const listeners = [
    listener("orders", "dev", 8080, "127.77.1.2"),
    listener("web", "dev", 80, "127.0.0.1", 21000),
  ];

  async function print(
    options: Partial<EnvInvocation["options"]>,
    note: Partial<SessionNote> = {},
    own = {},
    os: CliDeps["os"] = "linux",
  ) {
    const { deps, written } = fakeDeps(root, { env: own, os });
    await new SessionNotes(deps.paths().state).write(fakeNote("dev", { listeners, ...note }));
    const given = { ...nothing, ...options };
    await env({ options: given, words: [] }, {
      ...deps,
      alive: () => true,
      ask: () => Promise.resolve({ session: "id-dev", zone: "corp.local" }),
    });
    await deps.terminal.flush();
    return written;
  }

  it("prints the agent's options for a JVM, or the properties, and nothing else", async () => {
    assertMatch((await print({ shell: "jvm" })).out, /^-javaagent:.+hawser-agent\.jar=1080 -D\S+( -D\S+)*\n$/);
    const props = await print({ shell: "jvm", java: "props" });
    assertMatch(props.out, /^(-D\S+=\S+ ?)+\n$/);
    assertStringIncludes(props.out, "-DsocksProxyPort=1080");
    assertStringIncludes(props.err, "--java agent");
  });

  it("has no options for a JVM where the session asks for a password, or none are wanted", async () => {
    const auth = { username: "hawser", password: "s3cret" };
    const error = await assertRejects(() => print({ shell: "jvm" }, { auth }), Failure, "--auth");
    assertEquals(error.message.includes("s3cret"), false);
    await assertRejects(() => print({ shell: "jvm", java: "off" }), UsageError, "--java off");
  });

  it("keeps the user's own values out of what is a file, as their proxy's password", async () => {
    const own = { HTTP_PROXY: "http://me:s3cret@corp:3128" };
    for (const shell of ["vscode", "intellij", "dotenv"] as const) {
      const { out } = await print({ shell }, {}, own);
      assertStringIncludes(out, "http://127.0.0.1:1080");
      assertEquals([shell, out.includes("FORMER")], [shell, false]);
    }
    for (const shell of ["bash", "powershell", "json"] as const) {
      assertStringIncludes((await print({ shell }, {}, own)).out, "HAWSER_FORMER_ENV");
    }
  });

  it("prints variables of files and of the line with the wiring, and how to undo them", async () => {
    await Deno.writeTextFile(`${root}/a.env`, "LEVEL=file\nJAVA_TOOL_OPTIONS=-Xmx1g\n");
    const given = { envFile: [`${root}/a.env`], set: ["NAME=a b", "ALL_PROXY=x"], noRegister: true };
    const { LEVEL, NAME, ALL_PROXY, HTTP_PROXY, JAVA_TOOL_OPTIONS, ...more } = JSON.parse(
      (await print({ ...given, shell: "json" }, {}, { LEVEL: "own" })).out,
    );
    assertEquals([LEVEL, NAME, ALL_PROXY, HTTP_PROXY], ["file", "a b", "x", "http://127.0.0.1:1080"]);
    assertMatch(JAVA_TOOL_OPTIONS, /^-Xmx1g -javaagent:/);
    assertEquals(more.EUREKA_CLIENT_REGISTER_WITH_EUREKA, "false");
    assertEquals(unwired({ ...more, LEVEL, NAME, JAVA_TOOL_OPTIONS }, "linux"), { LEVEL: "own" });
  });

  it("adds to what the line sets for hooks whichever way Windows spells it", async () => {
    const set = ["Java_Tool_Options=-Xmx1g", "Http_Proxy=http://mine:1"];
    const { JAVA_TOOL_OPTIONS, ...more } = JSON.parse((await print({ set, shell: "json" }, {}, {}, "windows")).out);
    assertMatch(JAVA_TOOL_OPTIONS, /^-Xmx1g -javaagent:/);
    assertEquals([more.Java_Tool_Options, more.Http_Proxy, more.HTTP_PROXY], [undefined, "http://mine:1", undefined]);
  });

  it("leaves out names that a shell would take for something else", async () => {
    const set = ["a.b=1", "_c-d=2", "E_1=3"];
    const bash = await print({ set, shell: "bash" });
    assertEquals(bash.out.split("\n").filter((line) => /a\.b|c-d|E_1=/.test(line)), ["export E_1='3'"]);
    assertMatch((await print({ set, shell: "dotenv" })).out, /^a\.b=1$/m);
    assertEquals(JSON.parse((await print({ set, shell: "json" })).out)["_c-d"], "2");
  });

  it("prints lines for the hosts file, and says where that is", async () => {
    const { out, err } = await print({ hosts: true });
    assertEquals(out.split("\n"), [
      "127.77.1.2      orders orders.dev orders.dev.svc orders.dev.svc.corp.local",
      "# web.dev can have no line, as its ports are not all at one address with their own numbers: 80 is 127.0.0.1:21000",
      "",
    ]);
    assertStringIncludes(err, "/etc/hosts");
    assertEquals(JSON.parse((await print({ hosts: true, output: "json" })).out).entries[0].address, "127.77.1.2");
  });

  it("says that a hosts file needs --listen, or is of no use", async () => {
    await assertRejects(() => print({ hosts: true }, { listeners: [] }), Failure, "hawser connect --listen");
    assertStringIncludes((await print({ hosts: true }, { listeners: listeners.slice(1) })).err, "of no use");
    await assertRejects(() => print({ hosts: true, unset: true }), UsageError, "not both");
  });

  it("names --shell to who takes -o for it", async () => {
    const { status, err } = await runMain(["env", "-o", "jvm"], { root });
    assertEquals(status, 2);
    assertStringIncludes(err, "hawser env --shell");
  });
});
