import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Service } from "../../src/cluster/directory.ts";
import { type WorkloadReach, workloadVariables } from "../../src/cli/workload_variables.ts";
import type { WorkloadWishes } from "../../src/cli/workload_wishes.ts";
import { FakeApi } from "../cluster/fake_api.ts";
import { fakeDeps } from "./fake_deps.ts";

function service(name: string, port: number, clusterIP: string, namespace = "dev"): Service {
  return {
    namespace,
    name,
    kind: "ClusterIP",
    clusterIPs: [clusterIP],
    externalName: "",
    ports: [{ name: "", port, protocol: "TCP", targetPort: port }],
    selector: {},
    affinity: 0,
    publishNotReadyAddresses: false,
  };
}

const services = [
  service("mysql", 3306, "10.96.0.5"),
  service("nacos", 8848, "fd00::6"),
  service("db", 1, "10.96.0.7", "shop"),
];
const reach: WorkloadReach = {
  api: new FakeApi(),
  directory: { namespace: "dev", zone: "cluster.local", services: () => services },
  listeners: () =>
    services.map(({ namespace, name, ports: [port] }) => ({
      namespace,
      service: name,
      port: port!.port,
      address: "127.0.0.1",
      localPort: port!.port + 20_000,
    })),
  isolated: false,
};
const nothing: WorkloadWishes = {
  envFrom: undefined,
  filesFrom: undefined,
  envFile: new Map(),
  set: new Map(),
  rewrite: false,
  noRegister: false,
};

describe("workloadVariables", () => {
  let root: string;
  beforeEach(async () => {
    root = await Deno.makeTempDir();
  });
  afterEach(() => Deno.remove(root, { recursive: true }));

  const read = async (
    wishes: Partial<WorkloadWishes>,
    { program = "curl", changes = {}, os = "linux" as typeof Deno.build.os, env = {} } = {},
  ) => {
    const { deps } = fakeDeps(root, { env, os });
    const signal = new AbortController().signal;
    await using found = await workloadVariables(
      { ...nothing, ...wishes },
      program,
      { ...reach, ...changes },
      deps,
      signal,
    );
    return { variables: found.variables, remarks: found.remarks };
  };

  it("sets nothing where nothing is asked for", async () => {
    assertEquals(await read({}), { variables: {}, remarks: [] });
  });

  it("rewrites every form in which a service can be named, and no service that has no local port", async () => {
    const hosts = ["mysql", "MYSQL.dev", "mysql.dev.svc", "mysql.dev.svc.cluster.local.", "10.96.0.5"];
    const addresses = [...hosts.map((host) => `${host}:3306`), "[fd00:0::6]:8848", "db.shop:1"];
    const left = ["db:1", "mysql-0.mysql:3306", "mysql.other:3306", "mysql:3307", "10.96.0.9:3306"];
    const { variables } = await read({ rewrite: true, envFile: new Map([["A", [...addresses, ...left].join(",")]]) });
    const mysql = hosts.map(() => "127.0.0.1:23306");
    assertEquals(variables.A?.split(","), [...mysql, "127.0.0.1:28848", "127.0.0.1:20001", ...left]);
    assertEquals([variables.MYSQL_SERVICE_HOST, variables.MYSQL_SERVICE_PORT], ["127.0.0.1", "23306"]);
    assertEquals(variables.DB_SERVICE_HOST, undefined); // another namespace's
  });

  it("leaves addresses as they are where the program's own network leads to them", async () => {
    const envFile = new Map([["A", "mysql:3306"]]);
    const { variables } = await read({ rewrite: true, envFile }, { changes: { isolated: true } });
    assertEquals([variables.A, variables.MYSQL_PORT], ["mysql:3306", "tcp://10.96.0.5:3306"]);
    assertEquals(variables.NACOS_PORT, "tcp://[fd00::6]:8848");
  });

  it("says which values were rewritten, or that none was, and shows none", async () => {
    const remarks = async (value: string, changes = {}) => {
      const envFile = new Map([["URL", value], ["OTHER", "s3cret"], ["MYSQL_URI", value]]);
      return (await read({ rewrite: true, envFile }, { changes })).remarks;
    };
    assertEquals(await remarks("mysql:3306"), ["2 values lead to local ports now: URL, MYSQL_URI"]);
    assertEquals(await remarks("mysql:1"), [
      "--rewrite-env has found no address of the cluster for which there is a local port",
    ]);
    assertEquals(await remarks("mysql:3306", { isolated: true }), [
      "--rewrite-env has nothing to do: the program's own network leads to addresses of the cluster",
    ]);
  });

  it("leaves what --set names as it was given", async () => {
    const { variables } = await read({ rewrite: true, set: new Map([["MYSQL_PORT", "mysql:3306"]]) });
    assertEquals(variables.MYSQL_PORT, "mysql:3306");
  });

  it("takes names that differ in case for one on Windows", async () => {
    const wishes = { envFile: new Map([["Level", "file"]]), set: new Map([["LEVEL", "set"]]) };
    assertEquals((await read(wishes, { os: "windows" })).variables, { LEVEL: "set" });
    assertEquals((await read(wishes)).variables, { Level: "file", LEVEL: "set" });
  });

  it("tells Java programs of a registry that is in the namespace, and all programs of one that they know", async () => {
    for (const program of ["java", "/usr/bin/mvn", "mvnw.cmd", "gradlew"]) {
      const [remark = ""] = (await read({}, { program })).remarks;
      assertStringIncludes(remark, "There is Nacos: ");
    }
    const [remark = ""] = (await read({}, { env: { SPRING_CLOUD_CONSUL_HOST: "x" } })).remarks;
    assertStringIncludes(remark, "There is Consul: ");
    assertEquals((await read({ noRegister: true }, { program: "java" })).remarks, []);
  });

  it("lets --set undo a switch", async () => {
    const { variables } = await read({ noRegister: true, set: new Map([["DUBBO_REGISTRY_REGISTER", "true"]]) });
    assertEquals([variables.DUBBO_REGISTRY_REGISTER, variables.EUREKA_CLIENT_REGISTER_WITH_EUREKA], ["true", "false"]);
  });
});
