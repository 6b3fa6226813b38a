import { fileURLToPath } from "node:url";
import { databaseImage } from "../../tests/e2e/databases.ts";
import { type Manifest, service } from "../../tests/e2e/manifests.ts";
import { succeed } from "./command.ts";
import { downloadDependencies } from "./maven.ts";
import { prepared } from "./prepared.ts";

const modules = [
  ...["java.desktop", "java.logging", "java.management", "java.naming", "java.security.jgss", "java.security.sasl"],
  ...["java.sql", "jdk.management", "jdk.unsupported"],
];

const properties = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://localhost:9093
advertised.listeners=PLAINTEXT://kafka:9092
controller.listener.names=CONTROLLER
log.dirs=/tmp/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0`;

const script = `
until [ -e /kafka/complete ]; do sleep 0.2; done
cd /tmp
cat >server.properties <<END${properties}
END
export CLASSPATH='/kafka/lib/*'
/kafka/jre/bin/java kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qk -c server.properties
exec /kafka/jre/bin/java -Xmx384m kafka.Kafka server.properties`;

/**
 * Kafka, one node without ZooKeeper, in a pod that waits for its program; the image only has to be Debian's of the same release as this machine's,
 * as that of the databases is.
 */
export const kafka: readonly Manifest[] = [
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "kafka", labels: { app: "kafka" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: "kafka", emptyDir: {} }],
      containers: [{
        name: "kafka",
        image: databaseImage,
        command: ["sh", "-ec", script],
        volumeMounts: [{ name: "kafka", mountPath: "/kafka" }],
        readinessProbe: { tcpSocket: { port: 9092 }, periodSeconds: 1 },
      }],
    },
  },
  service("kafka", { ports: [{ port: 9092 }] }),
];

/** Brings Kafka and a Java that runs it into the pod. */
export async function startKafka(namespace: string): Promise<void> {
  const pom = fileURLToPath(new URL("programs/kafka/pom.xml", import.meta.url));
  const folder = await prepared("kafka", await Deno.readTextFile(pom) + modules, async (folder) => {
    await downloadDependencies(pom, `${folder}/lib`);
    const small = ["--strip-debug", "--no-header-files", "--no-man-pages"];
    await succeed(["jlink", "--add-modules", modules.join(), ...small, "--output", `${folder}/jre`]);
  });
  const pod = ["-n", namespace, "wait", "pod/kafka", "--for=jsonpath={.status.phase}=Running", "--timeout=60s"];
  await succeed(["kubectl", ...pod]);
  const exec = `kubectl -n ${namespace} exec -i kafka -- sh -c 'tar -xC /kafka && touch /kafka/complete'`;
  await succeed(["sh", "-c", `tar -cC "$1" . | ${exec}`, "sh", folder], { seconds: 120 });
}
