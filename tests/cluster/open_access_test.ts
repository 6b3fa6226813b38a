import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Access, AccessError } from "../../src/cluster/access.ts";
import { type AccessDeps, type AccessOptions, openAccess } from "../../src/cluster/open_access.ts";
import { openApi } from "../../src/cluster/open_api.ts";
import type { Duplex } from "../../src/stream/duplex.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";
import { FakeClock } from "../fake_clock.ts";
import { type Practice, type PracticeOptions, startPractice } from "../practice/practice.ts";
import { startForwardingProxy } from "./forwarding_proxy.ts";

const never = new AbortController().signal;

interface KubeconfigObject {
  clusters: [{ cluster: Record<string, unknown> }];
  users: [{ user: Record<string, unknown> }];
  contexts: [{ context: Record<string, unknown> }];
}

interface Opening {
  readonly text: string;
  /** Changes the kubeconfig before it is written. */
  readonly edit?: (config: KubeconfigObject) => void;
  readonly options?: AccessOptions;
  readonly deps?: Partial<AccessDeps>;
}

/** Opens the way in that a kubeconfig describes; the environment is empty but for what `deps` says. */
async function open({ text, edit, options, deps }: Opening): Promise<Access> {
  const kubeconfig = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const config = JSON.parse(text);
    edit?.(config);
    await Deno.writeTextFile(kubeconfig, JSON.stringify(config));
    return await openAccess({ kubeconfig, ...options }, { env: {}, interactive: false, ...deps });
  } finally {
    await Deno.remove(kubeconfig);
  }
}

async function fetchVersion(access: Access): Promise<void> {
  const api = openApi(access);
  try {
    await api.get("/version", {}, never);
  } finally {
    api.close();
  }
}

/** Both openers of TLS must behave alike: Deno's own serves the token, node:tls the certificate. */
const users = ["admin", "admin-certificate"];

async function failure(opening: Opening): Promise<AccessError> {
  return await assertRejects(async () => {
    const stream = await (await open(opening)).connect(never);
    stream.close();
  }, AccessError);
}

async function withPractice(options: PracticeOptions, use: (practice: Practice) => Promise<void>): Promise<void> {
  await using practice = await startPractice(options);
  await use(practice);
}

describe("openAccess", () => {
  it("gets in with a token and with a client certificate", async () => {
    await withPractice({}, async (practice) => {
      for (const user of users) await fetchVersion(await open({ text: practice.kubeconfig(user) }));
    });
  });

  it("says context, user, namespace and server", async () => {
    await withPractice({}, async (practice) => {
      const text = practice.kubeconfig("admin", { namespace: "dev" });
      const access = await open({ text });
      assertEquals([access.context, access.user, access.namespace, access.server.href], [
        "practice",
        "admin",
        "dev",
        `${practice.server}/`,
      ]);
      assertEquals((await open({ text, options: { namespace: "other" } })).namespace, "other");
      assertEquals((await open({ text: practice.kubeconfig() })).namespace, "default");
    });
  });

  it("impersonates whom the flags name, else whom the kubeconfig names", async () => {
    await withPractice({}, async (practice) => {
      const text = practice.kubeconfig();
      const edit = (config: KubeconfigObject) => {
        Object.assign(config.users[0].user, {
          as: "bob",
          "as-uid": "7",
          "as-groups": ["dev"],
          "as-user-extra": { "a/b": ["c"] },
        });
      };
      const names = async (access: Access) => (await access.headers(never)).slice(1);
      assertEquals(await names(await open({ text, edit })), [
        ["Impersonate-User", "bob"],
        ["Impersonate-Uid", "7"],
        ["Impersonate-Group", "dev"],
        ["Impersonate-Extra-a%2Fb", "c"],
      ]);
      assertEquals(await names(await open({ text, edit, options: { as: "eve", asGroups: ["ops", "dev"] } })), [
        ["Impersonate-User", "eve"],
        ["Impersonate-Group", "ops"],
        ["Impersonate-Group", "dev"],
      ]);
      assertEquals(await names(await open({ text })), []);
      await assertRejects(() => open({ text, options: { asGroups: ["ops"] } }), AccessError, "--as USER");
    });
  });

  it("sends user name and password as Basic", async () => {
    await withPractice({}, async (practice) => {
      const edit = (config: KubeconfigObject) => config.users[0].user = { username: "jane", password: "sésame" };
      const access = await open({ text: practice.kubeconfig(), edit });
      assertEquals(await access.headers(never), [["Authorization", `Basic ${btoa("jane:s\xc3\xa9same")}`]]);
    });
  });

  it("gets in unverified where told to", async () => {
    await withPractice({ certificate: "expired" }, async (practice) => {
      for (const user of users) {
        const edit = (config: KubeconfigObject) => {
          // By a host name of its own: some versions of Deno resume unverified TLS sessions by name, even with the next test's server.
          const server = `https://localhost:${practice.port}`;
          config.clusters[0].cluster = { server, "insecure-skip-tls-verify": true };
        };
        await fetchVersion(await open({ text: practice.kubeconfig(user), edit }));
      }
    });
  });
});

describe("openAccess, when the server's certificate is wrong", () => {
  for (const user of users) {
    it(`says since when it has expired (${user})`, async () => {
      await withPractice({ certificate: "expired" }, async (practice) => {
        const error = await failure({ text: practice.kubeconfig(user) });
        assertEquals(error.kind, "tls");
        assert(/expired on \d{4}-\d\d-\d\d: .*clock \(it shows \d{4}-/.test(error.message), error.message);
      });
    });

    it(`names its issuer and the authority that was expected (${user})`, async () => {
      await withPractice({ certificate: "other-ca" }, async (practice) => {
        const error = await failure({ text: practice.kubeconfig(user) });
        assertEquals(error.kind, "tls");
        assertStringIncludes(error.message, 'certificate-authority-data of cluster "practice"');
        assertStringIncludes(error.message, 'issued by "CN=');
      });
    });

    it(`names its names (${user})`, async () => {
      await withPractice({ certificate: "other-name" }, async (practice) => {
        const error = await failure({ text: practice.kubeconfig(user) });
        assertEquals(error.kind, "tls");
        assertStringIncludes(error.message, 'not for "127.0.0.1"');
        assertStringIncludes(error.message, "tls-server-name");
      });
    });

    it(`asks for an authority where the kubeconfig has none (${user})`, async () => {
      await withPractice({}, async (practice) => {
        const edit = (config: KubeconfigObject) => delete config.clusters[0].cluster["certificate-authority-data"];
        const error = await failure({ text: practice.kubeconfig(user), edit });
        assertStringIncludes(error.message, "add certificate-authority");
      });
    });
  }
});

describe("openAccess, when nobody answers", () => {
  it("says so where nothing listens", async () => {
    await withPractice({}, async (practice) => {
      await practice.faults.stopListening();
      for (const user of users) {
        const error = await failure({ text: practice.kubeconfig(user) });
        assertEquals(error.kind, "unreachable");
        assertStringIncludes(error.message, `nothing listens on 127.0.0.1 port ${practice.port}`);
      }
    });
  });

  it("says so where the name does not exist", async () => {
    await withPractice({}, async (practice) => {
      const text = practice.kubeconfig("admin", { server: "https://no-such-host.invalid:6443" });
      const error = await failure({ text });
      assertEquals(error.kind, "unreachable");
      assertStringIncludes(error.message, '"no-such-host.invalid" cannot be resolved');
    });
  });

  it("gives up after 5 s where the port is open and silent", async () => {
    let accepted = Promise.withResolvers<Duplex>();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => accepted.resolve(stream));
    await withPractice({}, async (practice) => {
      for (const user of users) {
        accepted = Promise.withResolvers();
        const clock = new FakeClock();
        // The practice certificates are of today.
        clock.wall = () => Date.now();
        const text = practice.kubeconfig(user, { server: `https://127.0.0.1:${listener.port}` });
        const failing = failure({ text, deps: { clock } });
        const stream = await accepted.promise;
        // The client has begun with TLS, so its patience runs.
        await stream.read(new Uint8Array(1));
        await clock.advance(5_000);
        assertEquals((await failing).kind, "timeout");
        stream.close();
      }
    });
    await listener.close();
  });

  it("says so where something else than TLS answers", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
      await stream.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")).catch(() => {});
      await stream.closeWrite();
    });
    await withPractice({}, async (practice) => {
      for (const user of users) {
        const text = practice.kubeconfig(user, { server: `https://127.0.0.1:${listener.port}` });
        assertStringIncludes((await failure({ text })).message, "does not speak TLS");
      }
    });
    await listener.close();
  });

  it("leaves at once when the caller does", async () => {
    await withPractice({}, async (practice) => {
      practice.faults.blackHole();
      for (const user of users) {
        const access = await open({ text: practice.kubeconfig(user) });
        const leaving = new AbortController();
        const connecting = assertRejects(() => access.connect(leaving.signal), Error, "enough");
        leaving.abort(new Error("enough"));
        await connecting;
      }
    });
  });
});

describe("openAccess, when the kubeconfig is wrong", () => {
  it("says where it looked for one", async () => {
    const home = await Deno.makeTempDir();
    try {
      const error = await assertRejects(() => openAccess({}, { env: { HOME: home }, interactive: false }), AccessError);
      assertEquals(error.kind, "kubeconfig");
      assertStringIncludes(error.message, home);
      assertStringIncludes(error.message, "--kubeconfig");
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });

  it("names the file of a certificate that cannot be read", async () => {
    await withPractice({}, async (practice) => {
      const text = practice.kubeconfig();
      const missing = (config: KubeconfigObject) =>
        config.clusters[0].cluster = { server: practice.server, "certificate-authority": "/no/ca.crt" };
      await assertRejects(() => open({ text, edit: missing }), AccessError, "ca.crt");
      const garbled = (config: KubeconfigObject) => config.clusters[0].cluster["certificate-authority-data"] = "***";
      await assertRejects(() => open({ text, edit: garbled }), AccessError, "is not base64");
      const lost = (config: KubeconfigObject) =>
        config.users[0].user = { "client-certificate": "/no/me.crt", "client-key": "/no/me.key" };
      assertEquals((await failure({ text, edit: lost })).kind, "credentials");
    });
  });

  it("says that a client certificate has expired before it is refused for it", async () => {
    await withPractice({ users: [{ name: "old", by: "expired-certificate" }] }, async (practice) => {
      const error = await failure({ text: practice.kubeconfig("old") });
      assertEquals(error.kind, "credentials");
      assertStringIncludes(error.message, 'The client certificate of user "old" expired on');
    });
  });

  it("names what to use instead of the auth-providers of old", async () => {
    await withPractice({}, async (practice) => {
      for (
        const [name, words] of [["gcp", "gke-gcloud-auth-plugin"], ["azure", "kubelogin"], ["openstack", "exec plugin"]]
      ) {
        const edit = (config: KubeconfigObject) => config.users[0].user = { "auth-provider": { name, config: {} } };
        await assertRejects(() => open({ text: practice.kubeconfig(), edit }), AccessError, words);
      }
    });
  });

  it("names the server that is no URL", async () => {
    await withPractice({}, async (practice) => {
      for (const server of ["ftp://x", "https://", "https://a b"]) {
        await assertRejects(() => open({ text: practice.kubeconfig("admin", { server }) }), AccessError, `"${server}"`);
      }
    });
  });
});

describe("openAccess through a proxy", () => {
  const named = (practice: Practice, user: string) =>
    practice.kubeconfig(user, { server: `https://kubernetes.test:${practice.port}` });
  const renamed = (more: Record<string, unknown> = {}) => (config: KubeconfigObject) =>
    Object.assign(config.clusters[0].cluster, { "tls-server-name": "localhost", ...more });

  for (const kind of ["http", "socks5"] as const) {
    it(`goes through the ${kind} proxy of proxy-url, and knows the server by its tls-server-name`, async () => {
      await using proxy = await startForwardingProxy(kind);
      await withPractice({}, async (practice) => {
        for (const user of users) {
          const edit = renamed({ "proxy-url": `${kind}://127.0.0.1:${proxy.port}` });
          await fetchVersion(await open({ text: named(practice, user), edit }));
        }
        assertEquals(proxy.asked, Array(2).fill(`kubernetes.test:${practice.port}`));
        for (const user of users) {
          const edit = renamed({ "proxy-url": `${kind}://127.0.0.1:${proxy.port}`, "tls-server-name": undefined });
          assertStringIncludes(
            (await failure({ text: named(practice, user), edit })).message,
            'not for "kubernetes.test"',
          );
        }
      });
    });
  }

  it("goes through HTTPS_PROXY unless NO_PROXY or proxy-url say otherwise", async () => {
    await using proxy = await startForwardingProxy("http");
    await using other = await startForwardingProxy("http");
    await withPractice({}, async (practice) => {
      const text = named(practice, "admin");
      const env = { https_proxy: `http://127.0.0.1:${proxy.port}` };
      await fetchVersion(await open({ text, edit: renamed(), deps: { env } }));
      assertEquals(proxy.asked.length, 1);
      await fetchVersion(
        await open({ text, edit: renamed({ "proxy-url": `http://127.0.0.1:${other.port}` }), deps: { env } }),
      );
      assertEquals([proxy.asked.length, other.asked.length], [1, 1]);
      const spared = { ...env, NO_PROXY: ".test" };
      await failure({ text, edit: renamed(), deps: { env: spared } });
      assertEquals(proxy.asked.length, 1);
    });
  });

  it("never sends loopback through the environment's proxy", async () => {
    await using proxy = await startForwardingProxy("http");
    await withPractice({}, async (practice) => {
      const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
      await fetchVersion(await open({ text: practice.kubeconfig(), deps: { env } }));
      assertEquals(proxy.asked, []);
    });
  });

  it("names the proxy that refuses, without its password", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
      await stream.write(new TextEncoder().encode("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")).catch(() => {});
    });
    await withPractice({}, async (practice) => {
      const edit = renamed({ "proxy-url": `http://jane:secret@127.0.0.1:${listener.port}` });
      const error = await failure({ text: named(practice, "admin"), edit });
      assertEquals(error.kind, "proxy");
      assertStringIncludes(error.message, `127.0.0.1:${listener.port}`);
      assertStringIncludes(error.message, 'proxy-url of cluster "practice"');
      assertFalse(error.message.includes("secret"));
    });
    await listener.close();
  });

  it("says so where the proxy is not there", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await listener.close();
    await withPractice({}, async (practice) => {
      const edit = renamed({ "proxy-url": `http://127.0.0.1:${listener.port}` });
      assertEquals((await failure({ text: named(practice, "admin"), edit })).kind, "proxy");
    });
  });

  it("refuses a proxy URL that is none, without showing it", async () => {
    await withPractice({}, async (practice) => {
      const edit = renamed({ "proxy-url": "ftp://jane:secret@x" });
      const error = await assertRejects(() => open({ text: named(practice, "admin"), edit }), AccessError);
      assertFalse(error.message.includes("secret"));
    });
  });
});

describe("openAccess over plain HTTP", () => {
  it("connects without TLS to kubectl proxy and its like", async () => {
    await withPractice({}, async (practice) => {
      const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => stream.close());
      const text = practice.kubeconfig("admin-certificate", { server: `http://127.0.0.1:${listener.port}` });
      const stream = await (await open({ text })).connect(never);
      assertEquals(await stream.read(new Uint8Array(1)), null);
      stream.close();
      await listener.close();
    });
  });
});
