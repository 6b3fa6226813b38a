import { CertificateAuthority } from "../../tests/practice/certificate_authority.ts";
import { databases } from "../../tests/e2e/databases.ts";
import { kubectl } from "../../tests/e2e/kubectl.ts";
import { type Manifest, service } from "../../tests/e2e/manifests.ts";
import { kafka, startKafka } from "./kafka.ts";

/** Where all of the matrix is. */
export const namespace = "hawser-matrix";

/** Debian with rabbitmq-server. */
const brokerImage = Deno.env.get("HAWSER_MATRIX_RABBITMQ") ?? "localhost/rabbitmq:1";
/** Anything with Node 18 or newer. */
export const nodeImage = Deno.env.get("HAWSER_E2E_NODE") ?? "localhost/node:20";

/** Addresses in the cluster, by the names of the variables under which programs find them. */
export interface Servers {
  readonly addresses: Readonly<Record<string, string>>;
}

/**
 * Starts MariaDB, PostgreSQL, Redis, RabbitMQ, Kafka and a program that multiplies over HTTP and gRPC, in a namespace of their own, and waits
 * until they are ready. What was there before is removed, or used as it is with `reuse`.
 */
export async function openServers({ reuse }: { readonly reuse: boolean }): Promise<Servers> {
  const there = await kubectl(["get", "namespace", namespace, "--ignore-not-found", "-o", "name"]);
  if (!reuse || there === "") {
    await closeServers();
    await startServers();
  }
  const podIp = await kubectl(["-n", namespace, "get", "pod", "echo-0", "-o", "jsonpath={.status.podIP}"]);
  return {
    addresses: {
      HTTP_ADDRESS: "echo:80",
      POD_NAME_ADDRESS: `echo-0.echo-pods.${namespace}:8080`,
      POD_ADDRESS: `${podIp}:8080`,
      GRPC_ADDRESS: "echo:9090",
      MARIADB_ADDRESS: "mariadb:3306",
      POSTGRES_ADDRESS: "postgres:5432",
      REDIS_ADDRESS: "redis:6379",
      RABBITMQ_ADDRESS: "rabbitmq:5672",
      KAFKA_ADDRESS: "kafka:9092",
    },
  };
}

/** Removes all of it, and waits until it is gone. */
export async function closeServers(): Promise<void> {
  await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
}

async function startServers(): Promise<void> {
  await kubectl(["create", "namespace", namespace]);
  const authority = await CertificateAuthority.create("Matrix");
  const program = await Deno.readTextFile(new URL("programs/echo_server.mjs", import.meta.url));
  const items: Manifest[] = [
    ...databases(await authority.issue({ commonName: "server", names: ["postgres", "mariadb"] })),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "echo" }, data: { "server.mjs": program } },
    echo,
    service("echo", { ports: [{ name: "http", port: 80, targetPort: 8080 }, { name: "grpc", port: 9090 }] }),
    service("echo-pods", { clusterIP: "None", selector: { app: "echo" }, ports: [{ name: "http", port: 8080 }] }),
    rabbitmq,
    service("rabbitmq", { ports: [{ port: 5672 }] }),
    ...kafka,
  ];
  await kubectl(["-n", namespace, "apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await startKafka(namespace);
  try {
    await kubectl(["-n", namespace, "wait", "pod", "--all", "--for=condition=Ready", "--timeout=180s"]);
  } catch (error) {
    throw new Error(`The servers are not ready:\n${await kubectl(["-n", namespace, "get", "pods"])}`, { cause: error });
  }
}

const nobody = { runAsUser: 65534, runAsGroup: 65534 };

/** Pods of the program that multiplies, with an environment. */
export function multiplying(env: readonly unknown[]): Readonly<Record<string, unknown>> {
  return {
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: "program", configMap: { name: "echo" } }],
    containers: [{
      name: "echo",
      image: nodeImage,
      command: ["node", "/program/server.mjs"],
      env,
      volumeMounts: [{ name: "program", mountPath: "/program" }],
      readinessProbe: { tcpSocket: { port: 9090 }, periodSeconds: 1 },
    }],
  };
}

const echo: Manifest = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "echo" },
  spec: {
    serviceName: "echo-pods",
    replicas: 1,
    selector: { matchLabels: { app: "echo" } },
    template: {
      metadata: { labels: { app: "echo" } },
      spec: multiplying([]),
    },
  },
};

// `guest` may come from anywhere, and the node needs a name that resolves and a home of its own.
const rabbitmqScript = `
export HOME=/tmp RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_MNESIA_BASE=/tmp/data RABBITMQ_LOG_BASE=/tmp RABBITMQ_LOGS=- RABBITMQ_PID_FILE=/tmp/pid
mkdir -p /tmp/data
echo 'loopback_users = none' >/tmp/rabbitmq.conf
export RABBITMQ_CONFIG_FILE=/tmp/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=/tmp/plugins
exec /usr/lib/rabbitmq/bin/rabbitmq-server`;

const rabbitmq: Manifest = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "rabbitmq", labels: { app: "rabbitmq" } },
  spec: {
    terminationGracePeriodSeconds: 0,
    securityContext: nobody,
    containers: [{
      name: "rabbitmq",
      image: brokerImage,
      command: ["sh", "-ec", rabbitmqScript],
      readinessProbe: { tcpSocket: { port: 5672 }, periodSeconds: 1 },
    }],
  },
};
