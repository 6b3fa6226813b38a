import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConfigReader } from "../../src/cluster/config_reader.ts";
import { containerFiles } from "../../src/cluster/container_files.ts";
import { Losses } from "../../src/cluster/losses.ts";
import { configApi, found } from "./container_scene.ts";

async function read(volumeMounts: V1VolumeMount[], ...volumes: V1Volume[]) {
  const reader = new ConfigReader(configApi(), "dev", new AbortController().signal);
  const container = found({ volumeMounts }, { volumes });
  const losses = new Losses("dev");
  const files = await containerFiles(container, new Map([["WHO", "joe"]]), reader, losses);
  const texts = [...files].map(([path, { bytes, executable }]) =>
    [path, new TextDecoder().decode(bytes) + (executable ? "*" : "")] as const
  );
  return { files: Object.fromEntries(texts), remarks: losses.sentences() };
}

const app = { name: "app", configMap: { name: "app" } };
const db = { name: "db", secret: { secretName: "db" } };

describe("containerFiles", () => {
  it("has every key as a file, at the place of its mount", async () => {
    const { files } = await read([{ name: "app", mountPath: "/etc//config/" }], app);
    assertEquals(files["/etc/config/app.yml"], "a: 1\n");
    assertEquals(Object.keys(files).sort(), [
      "/etc/config/1DIGIT",
      "/etc/config/LEVEL",
      "/etc/config/app.yml",
      "/etc/config/dotted.key",
      "/etc/config/logo.bin",
    ]);
  });

  it("follows items, modes and sub-paths", async () => {
    const items = [{ key: "app.yml", path: "sub/app.yml" }, { key: "LEVEL", path: "run.sh", mode: 0o500 }];
    const volume = { name: "app", configMap: { name: "app", items, defaultMode: 0o440 } };
    assertEquals(
      await read(
        [
          { name: "app", mountPath: "/etc/config" },
          { name: "app", mountPath: "/one.yml", subPath: "sub/app.yml" },
          { name: "app", mountPath: "/folder", subPath: "sub/" },
          { name: "db", mountPath: "/user", subPathExpr: "$(NOPE)" },
        ],
        volume,
        db,
      ),
      {
        files: {
          "/one.yml": "a: 1\n",
          "/folder/app.yml": "a: 1\n",
          "/etc/config/sub/app.yml": "a: 1\n",
          "/etc/config/run.sh": "info*",
        },
        remarks: [],
      },
    );
    const named = { name: "db", secret: { secretName: "db", items: [{ key: "USER", path: "of/joe" }] } };
    const { files } = await read([{ name: "db", mountPath: "/user", subPathExpr: "of/$(WHO)" }], named);
    assertEquals(files, { "/user": "joe" });
  });

  it("joins projected sources, and writes labels and annotations as a kubelet does", async () => {
    const downward = ["labels", "annotations"].map((path) => ({ path, fieldRef: { fieldPath: `metadata.${path}` } }));
    const sources = [
      { configMap: { name: "app", items: [{ key: "LEVEL", path: "user" }] } },
      { secret: { name: "db", items: [{ key: "USER", path: "user" }] } },
      { downwardAPI: { items: [...downward, { path: "cpu", resourceFieldRef: { resource: "limits.cpu" } }] } },
      { serviceAccountToken: { path: "token" } },
    ];
    assertEquals(await read([{ name: "all", mountPath: "/all" }], { name: "all", projected: { sources } }), {
      files: {
        "/all/user": "joe",
        "/all/labels": 'app="orders"\ntier="back"',
        "/all/annotations": 'note="a \\"b\\"\\nc"',
      },
      remarks: ['The file "cpu" is left out: only the pod itself can know it'],
    });
  });

  it("lets an inner mount cover what an outer one has there, in whatever order they are listed", async () => {
    const items = [{ key: "LEVEL", path: "a/level" }, { key: "LEVEL", path: "b" }];
    const { files } = await read(
      [{ name: "db", mountPath: "/etc/a", subPath: "USER" }, { name: "app", mountPath: "/etc" }],
      { name: "app", configMap: { name: "app", items } },
      db,
    );
    assertEquals(files, { "/etc/b": "info", "/etc/a": "joe" });
  });

  it("leaves other volumes and the pod's own credentials alone", async () => {
    const account = { name: "kube-api-access", projected: { sources: [{ configMap: { name: "app" } }] } };
    assertEquals(
      await read(
        [
          { name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
          { name: "data", mountPath: "/data" },
          { name: "unknown", mountPath: "/unknown" },
        ],
        account,
        { name: "data", emptyDir: {} },
      ),
      { files: {}, remarks: [] },
    );
  });

  it("says what is missing, unless it is optional", async () => {
    const items = [{ key: "nope", path: "x" }];
    const volumes: V1Volume[] = [
      { name: "a", configMap: { name: "gone" } },
      { name: "b", secret: { secretName: "gone", optional: true } },
      { name: "c", configMap: { name: "app", items } },
      { name: "d", configMap: { name: "app", items, optional: true } },
    ];
    assertEquals(await read(volumes.map(({ name }) => ({ name, mountPath: `/${name}` })), ...volumes), {
      files: {},
      remarks: [
        'There is no ConfigMap "gone" in namespace "dev". Left out: all of its files',
        'ConfigMap "app" in namespace "dev" has no key "nope". Left out: the file "x"',
      ],
    });
  });
});
