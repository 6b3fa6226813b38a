import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConfigReader } from "../../src/cluster/config_reader.ts";
import { containerVariables } from "../../src/cluster/container_variables.ts";
import type { FoundContainer } from "../../src/cluster/find_container.ts";
import { Losses } from "../../src/cluster/losses.ts";
import { configApi, found, withoutPod } from "./container_scene.ts";

const signal = new AbortController().signal;

async function read(container: FoundContainer, services = {}, api = configApi()) {
  const losses = new Losses("dev");
  const variables = await containerVariables(container, services, new ConfigReader(api, "dev", signal), losses);
  return { variables: Object.fromEntries(variables), remarks: losses.sentences() };
}

const secret = (key: string, optional?: boolean, name = "db") => ({ secretKeyRef: { name, key, optional } });
const field = (fieldPath: string) => ({ fieldRef: { fieldPath } });

describe("containerVariables", () => {
  it("takes what a kubelet takes, in its order", async () => {
    // The values are those that a kubelet of Kubernetes 1.34 has given to a container like this one.
    const { variables, remarks } = await read(
      found({
        envFrom: [
          { prefix: "P_", configMapRef: { name: "app" } },
          { configMapRef: { name: "app" } },
          { secretRef: { name: "nope", optional: true } },
        ],
        env: [
          { name: "FROM", value: "$(LEVEL) $$(LEVEL) $(NOPE) $(ORDERS_SERVICE_PORT) $(1DIGIT) $(dotted.key)" },
          { name: "EMPTY", value: "" },
          { name: "NOTHING" },
          { name: "PW", valueFrom: secret("PASSWORD") },
          { name: "URL", value: "redis://:$(PW)@orders:80/" },
          { name: "LATER", value: "$(LAST)" },
          { name: "LAST", value: "last" },
          { name: "TRICK", value: "$(LEVEL $( $$$(LEVEL) $ $x" },
          { name: "LEVEL", value: "$(LEVEL)+" },
        ],
      }),
      { ORDERS_SERVICE_PORT: "20080", LEVEL: "no service" },
    );
    assertEquals(variables, {
      ...{ P_LEVEL: "info", P_1DIGIT: "one", "P_dotted.key": "d", "P_app.yml": "a: 1\n" },
      ...{ LEVEL: "info+", "1DIGIT": "one", "dotted.key": "d", "app.yml": "a: 1\n" },
      FROM: "info $(LEVEL) $(NOPE) 20080 one d",
      EMPTY: "",
      NOTHING: "",
      PW: "s3cret$(X)",
      URL: "redis://:s3cret$(X)@orders:80/",
      LATER: "$(LAST)",
      LAST: "last",
      TRICK: "$(LEVEL $( $$$(LEVEL) $ $x",
    });
    assertEquals(remarks, []);
  });

  it("does not know names that objects of JavaScript bring", async () => {
    const container = found({
      env: [
        { name: "A", value: "$(constructor)" },
        { name: "B", valueFrom: field("metadata.labels['toString']") },
      ],
    });
    assertEquals((await read(container)).variables, { A: "$(constructor)", B: "" });
  });

  it("takes fields of the pod and the limits of the container", async () => {
    const container = found({
      resources: { limits: { cpu: "1500m", memory: "100Mi" }, requests: { cpu: "100m" } },
      env: [
        { name: "POD", valueFrom: field("metadata.name") },
        { name: "NAMESPACE", valueFrom: field("metadata.namespace") },
        { name: "TIER", valueFrom: field("metadata.labels['tier']") },
        { name: "NO_LABEL", valueFrom: field("metadata.labels['no']") },
        { name: "NOTE", valueFrom: field("metadata.annotations['note']") },
        { name: "NODE", valueFrom: field("spec.nodeName") },
        { name: "ACCOUNT", valueFrom: field("spec.serviceAccountName") },
        { name: "HOST", valueFrom: field("status.hostIP") },
        { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        { name: "MILLI", valueFrom: { resourceFieldRef: { resource: "requests.cpu", divisor: "1m" } } },
        { name: "MEM", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
      ],
    });
    const known = { NAMESPACE: "dev", TIER: "back", NO_LABEL: "", NOTE: 'a "b"\nc', ACCOUNT: "default" };
    const limits = { CPU: "2", MILLI: "100", MEM: "100" };
    const own = { POD: "orders-1", NODE: "node-1", HOST: "192.168.0.1" };
    assertEquals(await read(container), { variables: { ...known, ...own, ...limits }, remarks: [] });

    const before = await read(withoutPod(container));
    assertEquals(before.variables, { ...known, ...limits });
    assertEquals(before.remarks[0], "POD is left out: there is no pod at present to tell metadata.name");
    assertEquals(before.remarks.length, 3);
  });

  it("gives this machine's address for the pod's, and says for which variables", async () => {
    const container = found({
      env: [
        { name: "POD_IP", valueFrom: field("status.podIP") },
        { name: "POD_IPS", valueFrom: field("status.podIPs") },
        { name: "BIND", value: "$(POD_IP):8080" },
      ],
    });
    for (const each of [container, withoutPod(container)]) {
      assertEquals(await read(each), {
        variables: { POD_IP: "127.0.0.1", POD_IPS: "127.0.0.1", BIND: "127.0.0.1:8080" },
        remarks: ["127.0.0.1 stands for the address of the pod, which is not this machine's: POD_IP, POD_IPS"],
      });
    }
  });

  it("says once for each object what is missing of it, and shows no value", async () => {
    const { variables, remarks } = await read(found({
      envFrom: [{ secretRef: { name: "gone" } }],
      env: [
        { name: "A", valueFrom: secret("a", false, "gone") },
        { name: "B", valueFrom: secret("b", true, "gone") },
        { name: "C", valueFrom: secret("missing") },
        { name: "D", valueFrom: secret("missing", true) },
        { name: "E", valueFrom: secret("KEY") },
        { name: "F", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
        { name: "G", valueFrom: {} },
      ],
    }));
    assertEquals(variables, {});
    assertEquals(remarks, [
      'There is no Secret "gone" in namespace "dev". Left out: all of its variables, A',
      'Secret "db" in namespace "dev" has no key "missing". Left out: C',
      "E is left out: what it holds is no text",
      "F is left out: its pod has no limits.cpu",
      "G is left out: only the pod itself can know it",
    ]);
  });

  it("names the right that is missing, and goes on without", async () => {
    const api = configApi();
    api.fail("get", "/api/v1/namespaces/dev/secrets", 403);
    const env = [{ name: "PW", valueFrom: secret("PASSWORD") }, { name: "USER", valueFrom: secret("USER", true) }];
    const { variables, remarks } = await read(found({ envFrom: [{ configMapRef: { name: "app" } }], env }), {}, api);
    assertEquals(variables.LEVEL, "info");
    assertEquals(remarks, [
      'You may not read Secret "db" in namespace "dev": ask for the verb get on secrets there (hawser doctor --rbac ' +
      "--environment prints the Role), or give what is needed by --set. Left out: PW, USER",
    ]);
    assertEquals(api.asked.filter((each) => each.endsWith("secrets/db")).length, 1);
  });

  it("does not take a failing API server for a missing object", async () => {
    const api = configApi();
    api.fail("get", "/api/v1/namespaces/dev/configmaps", 500);
    await assertRejects(() => read(found({ envFrom: [{ configMapRef: { name: "app", optional: true } }] }), {}, api));
  });
});
