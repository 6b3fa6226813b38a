import { assertEquals, assertFalse } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { Environment } from "../../src/platform/proxy_settings.ts";
import { formerVariables, programVariables, unwired, withFormer, withVariables } from "../../src/wiring/variables.ts";

const proxy = { port: 1080, auth: undefined };

describe("programVariables", () => {
  it("names the proxy by http in both spellings", () => {
    const variables = programVariables(proxy, {}, "linux");
    const url = "http://127.0.0.1:1080";
    assertEquals(variables, {
      HTTP_PROXY: url,
      http_proxy: url,
      HTTPS_PROXY: url,
      https_proxy: url,
      ALL_PROXY: url,
      all_proxy: url,
      NO_PROXY: "localhost,127.0.0.1,::1",
      no_proxy: "localhost,127.0.0.1,::1",
      NODE_USE_ENV_PROXY: "1",
    });
  });

  it("uses one spelling on Windows", () => {
    assertFalse(Object.keys(programVariables(proxy, {}, "windows")).some((name) => name === name.toLowerCase()));
  });

  it("carries the login where there is one", () => {
    const auth = { username: "hawser", password: "a1b2" };
    assertEquals(programVariables({ port: 9, auth }, {}, "windows").ALL_PROXY, "http://hawser:a1b2@127.0.0.1:9");
  });

  it("keeps the user's host names in NO_PROXY, without what could hide pods or break fabric8", () => {
    const own = { no_proxy: ".corp.example, git.corp:8443,10.0.0.0/8,.svc,.cluster.local,*.x,<local>,localhost" };
    assertEquals(
      programVariables(proxy, own, "linux").NO_PROXY,
      "localhost,127.0.0.1,::1,.corp.example,git.corp:8443",
    );
  });
});

describe("unwired", () => {
  const wired = (env: Environment, os: typeof Deno.build.os) => {
    const variables = { ...programVariables(proxy, env, os), NODE_OPTIONS: `${env.NODE_OPTIONS ?? ""} --require x` };
    return withVariables(env, withFormer(variables, env, os), os);
  };
  const names = [
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "NODE_USE_ENV_PROXY",
    "NODE_OPTIONS",
    "PATH",
    "OTHER",
  ];
  const environment = fc.dictionary(fc.constantFrom(...names), fc.string(), { noNullPrototype: true });

  it("gives back any environment that was wired, even twice", () => {
    fc.assert(fc.property(environment, (env) => {
      const once = wired(env, "linux");
      assertEquals(unwired(once, "linux"), env);
      const inner = unwired(once, "linux");
      const twice = wired(inner, "linux");
      assertEquals(unwired(twice, "linux"), env);
    }));
  });

  it("keeps what was added to lists of options and of folders meanwhile, and takes back just hawser's part", () => {
    const word = fc.stringMatching(/^[a-z/.-]{1,4}$/);
    const own = fc.option(fc.array(word, { minLength: 1, maxLength: 3 }), { nil: undefined });
    const added = fc.array(word, { maxLength: 2 });
    const lists = [["JAVA_TOOL_OPTIONS", " "], ["NODE_OPTIONS", " "], ["PYTHONPATH", ":"]] as const;
    const ours = "-javaagent:/x/hawser.jar=1 -Dx";
    fc.assert(
      fc.property(fc.constantFrom(...lists), own, added, added, fc.boolean(), ([name, by], own, a, b, first) => {
        const items = own ?? [];
        const env: Record<string, string> = own ? { [name]: own.join(by) } : {};
        const set = (first ? [ours, ...items] : [...items, ours]).join(by);
        const wired = withFormer({ [name]: set }, env, "linux");
        const rest = [...a, ...items, ...b];
        const changed = { ...wired, [name]: [...a, set, ...b].join(by) };
        assertEquals(unwired(changed, "linux"), rest.length === 0 ? {} : { [name]: rest.join(by) });
      }),
    );
  });

  it("puts back what was where hawser's part of a list is gone, or is only the beginning of an item", () => {
    const wired = withFormer({ PYTHONPATH: "/hook:/own" }, { PYTHONPATH: "/own" }, "linux");
    for (const [present, back] of [["/else", "/own"], ["/hooks:/own", "/own"], ["/hooks:/hook:/own", "/hooks:/own"]]) {
      assertEquals(unwired({ ...wired, PYTHONPATH: present }, "linux"), { PYTHONPATH: back });
    }
    const windows = withFormer({ PYTHONPATH: "C:\\hook;D:\\" }, { PythonPath: "D:\\" }, "windows");
    assertEquals(unwired({ ...windows, PYTHONPATH: "E:\\;C:\\hook;D:\\" }, "windows"), { PYTHONPATH: "E:\\;D:\\" });
  });

  it("leaves an environment alone that is not wired", () => {
    const env = { HTTP_PROXY: "http://corp:3128" };
    assertEquals(unwired(env, "linux"), env);
    assertEquals(formerVariables(env, "linux").size, 0);
  });

  it("survives a variable of ours that is not from us", () => {
    for (const odd of ["", "%%%", "bnVsbA", "W10"]) {
      assertEquals(unwired({ HAWSER_FORMER_ENV: odd, PATH: "/bin", HTTP_PROXY: "x" }, "linux"), { PATH: "/bin" });
    }
  });

  it("finds Windows' variables in any spelling", () => {
    const env = { http_proxy: "http://corp:3128", Path: "C:\\" };
    const windows = wired(env, "windows");
    assertEquals(Object.keys(windows).filter((name) => name.toUpperCase() === "HTTP_PROXY"), ["HTTP_PROXY"]);
    assertEquals(unwired(windows, "windows"), { HTTP_PROXY: "http://corp:3128", Path: "C:\\" });
  });
});
