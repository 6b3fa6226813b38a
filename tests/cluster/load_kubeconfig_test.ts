import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { delimiter, join } from "node:path";
import { AccessError } from "../../src/cluster/access.ts";
import { loadKubeconfig } from "../../src/cluster/load_kubeconfig.ts";

/** Runs `use` in a folder that holds `files`. */
async function inFolder(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), text);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const first = `
clusters:
- name: shared
  cluster: { server: "https://first:6443", certificate-authority: certs/ca.crt }
users:
- name: me
  user: { token: from-first }
`;
const second = `
current-context: two
clusters:
- name: shared
  cluster: { server: "https://second:6443", tls-server-name: second }
- name: other
  cluster: { server: "https://other:6443" }
users:
- name: me
  user: { username: from-second }
contexts:
- name: two
  context: { cluster: other, user: me, namespace: dev }
`;
const third = `
current-context: three
contexts:
- name: three
  context: { cluster: shared }
`;

describe("loadKubeconfig", () => {
  it("merges a list as kubectl does: the first current-context and the first definition of a name win, whole", async () => {
    await inFolder({ "a/config": first, "b/config": second, "c/config": third }, async (folder) => {
      const files = ["a", "missing", "b", "c"].map((name) => join(folder, name, "config"));
      const config = await loadKubeconfig(undefined, { KUBECONFIG: ["", ...files, files[0]].join(delimiter) });
      assert(config);
      assertEquals(config.currentContext, "two");
      assertEquals(config.files, files.filter((path) => !path.includes("missing")));
      assertEquals([...config.contexts.keys()], ["two", "three"]);
      assertEquals(config.clusters.get("shared")?.server, "https://first:6443");
      assertEquals(config.clusters.get("shared")?.tlsServerName, "");
      assertEquals(config.users.get("me")?.token, "from-first");
      assertEquals(config.users.get("me")?.username, "");
    });
  });

  it("takes relative paths from the folder of the file they stand in", async () => {
    await inFolder({ "a/config": first }, async (folder) => {
      const config = await loadKubeconfig(join(folder, "a", "config"), {});
      assertEquals(config?.clusters.get("shared")?.certificateAuthority, {
        kind: "file",
        path: join(folder, "a", "certs", "ca.crt"),
      });
    });
  });

  it("reads only the file it is given", async () => {
    await inFolder({ "a": first, "b": second }, async (folder) => {
      const config = await loadKubeconfig(join(folder, "a"), { KUBECONFIG: join(folder, "b") });
      assertEquals(config?.currentContext, "");
    });
  });

  it("finds .kube/config in the home folder", async () => {
    await inFolder({ ".kube/config": second }, async (folder) => {
      assertEquals((await loadKubeconfig(undefined, { HOME: folder }))?.currentContext, "two");
    });
  });

  it("goes on to the next of Windows' homes where the first has no file, or is out of reach", async () => {
    await inFolder({ "profile/.kube/config": second, "home/x": "" }, async (folder) => {
      for (const home of ["home", "home/x"]) {
        const env = { HOME: join(folder, home), USERPROFILE: join(folder, "profile") };
        assertEquals((await loadKubeconfig(undefined, env))?.currentContext, "two", home);
      }
    });
  });

  it("gives nothing where there is no file", async () => {
    await inFolder({}, async (folder) => {
      assertEquals(await loadKubeconfig(undefined, { HOME: folder }), undefined);
      assertEquals(await loadKubeconfig(undefined, { KUBECONFIG: join(folder, "a") + delimiter }), undefined);
      assertEquals(await loadKubeconfig(undefined, {}), undefined);
    });
  });

  it("says so when the file that was named does not exist", async () => {
    await inFolder({}, async (folder) => {
      const path = join(folder, "absent");
      const error = await assertRejects(() => loadKubeconfig(path, {}), AccessError);
      assertEquals(error.kind, "kubeconfig");
      assertStringIncludes(error.message, `"${path}"`);
      assertStringIncludes(error.message, "--kubeconfig");
    });
  });

  it("names the file that cannot be read", async () => {
    await inFolder({ "good": first, "bad": "clusters: [" }, async (folder) => {
      const env = { KUBECONFIG: [join(folder, "good"), join(folder, "bad")].join(delimiter) };
      await assertRejects(() => loadKubeconfig(undefined, env), AccessError, join(folder, "bad"));
    });
  });
});
