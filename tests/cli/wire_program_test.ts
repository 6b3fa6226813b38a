import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { wireProgram } from "../../src/cli/wire_program.ts";
import { unwired } from "../../src/wiring/variables.ts";
import { fakeDeps } from "./fake_deps.ts";

describe("wireProgram", () => {
  const os = "linux";
  const all = { java: "agent", node: "hook", python: "off" } as const;
  const reach = { proxy: { port: 1080, auth: undefined }, namespace: "dev" };
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  it("adds the hooks to the user's own options, from files only they can read", async () => {
    const env = {
      NODE_OPTIONS: "--max-old-space-size=512",
      JAVA_TOOL_OPTIONS: "-Xmx1g",
      HTTP_PROXY: "http://corp:3128",
    };
    const { variables, remarks } = await wireProgram(all, reach, env, fakeDeps(root).deps);
    assertEquals(remarks, []);
    assertEquals(variables.HTTP_PROXY, "http://127.0.0.1:1080");
    assertMatch(variables.NODE_OPTIONS!, /^--max-old-space-size=512 --require "/);
    assertMatch(variables.JAVA_TOOL_OPTIONS!, /^-Xmx1g -javaagent:\S+=1080 /);
    const file = /-javaagent:(.*?)=1080/.exec(variables.JAVA_TOOL_OPTIONS!)![1]!;
    const { mode, size } = await Deno.stat(file);
    assertEquals(size > 10_000, true);
    if (Deno.build.os !== "windows") assertEquals(mode! & 0o777, 0o600);
    assertEquals(unwired({ ...env, ...variables }, os), env);
  });

  it("tells Spring Cloud Kubernetes the namespace, but not who has said something else", async () => {
    const none = { java: "off", node: "off", python: "off" } as const;
    const env = { SPRING_CLOUD_KUBERNETES_LOADBALANCER_MODE: "POD" };
    const { variables } = await wireProgram(none, reach, env, fakeDeps(root).deps);
    assertEquals(variables.SPRING_CLOUD_KUBERNETES_CLIENT_NAMESPACE, "dev");
    assertEquals(variables.SPRING_CLOUD_KUBERNETES_LOADBALANCER_MODE, undefined);
    assertEquals([variables.NODE_OPTIONS, variables.JAVA_TOOL_OPTIONS], [undefined, undefined]);
  });

  it("finds what the user has said whichever way Windows spells it", async () => {
    const env = { Spring_Cloud_Kubernetes_Client_Namespace: "own", Java_Tool_Options: "-Xmx1g" };
    const { deps } = fakeDeps(root, { os: "windows" });
    const { variables } = await wireProgram({ ...all, java: "props", node: "off" }, reach, env, deps);
    assertEquals(variables.SPRING_CLOUD_KUBERNETES_CLIENT_NAMESPACE, undefined);
    assertMatch(variables.JAVA_TOOL_OPTIONS!, /^-Xmx1g -D/);
  });

  it("lets Python find the hook, ahead of the user's own modules", async () => {
    const { deps } = fakeDeps(root);
    const { variables } = await wireProgram({ ...all, python: "hook" }, reach, { PYTHONPATH: "/own" }, deps);
    const [, folder] = /^(.*):\/own$/.exec(variables.PYTHONPATH!) ?? [];
    assertEquals(variables.HAWSER_HOOK_PORT, "1080");
    assertEquals((await Deno.stat(`${folder}/sitecustomize.py`)).isFile, true);
  });

  it("uses system properties for Java where that is wished", async () => {
    const { variables } = await wireProgram({ ...all, java: "props" }, reach, {}, fakeDeps(root).deps);
    assertStringIncludes(variables.JAVA_TOOL_OPTIONS!, "-DsocksProxyPort=1080");
  });

  it("leaves the hooks out of a session with a password, and says so in one line", async () => {
    const proxy = { port: 1080, auth: { username: "hawser", password: "a1b2" } };
    const { variables, remarks } = await wireProgram(all, { ...reach, proxy }, {}, fakeDeps(root).deps);
    assertEquals([variables.NODE_OPTIONS, variables.JAVA_TOOL_OPTIONS], [undefined, undefined]);
    assertEquals(remarks.length, 1);
    assertStringIncludes(remarks[0]!, "--java agent, --node hook are off");
    assertEquals(remarks[0]!.includes("a1b2"), false);
  });

  it("goes without a hook whose file cannot be written, and says why", async () => {
    await Deno.writeTextFile(`${root}/state`, "a file where the folder should be");
    const { variables, remarks } = await wireProgram(all, reach, {}, fakeDeps(root).deps);
    assertEquals([variables.NODE_OPTIONS, variables.JAVA_TOOL_OPTIONS], [undefined, undefined]);
    assertEquals(remarks.length, 2);
    assertStringIncludes(remarks[0]!, "--java agent is off: Cannot write");
    assertEquals(variables.HTTP_PROXY, "http://127.0.0.1:1080");
  });
});
