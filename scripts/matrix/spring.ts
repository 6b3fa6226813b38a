import { fileURLToPath } from "node:url";
import { databaseUser } from "../../tests/e2e/databases.ts";
import { type Home, RunningHawser } from "../../tests/e2e/hawser.ts";
import { kubectl } from "../../tests/e2e/kubectl.ts";
import { type Manifest, service } from "../../tests/e2e/manifests.ts";
import { succeed } from "./command.ts";
import type { Verdict } from "./judge.ts";
import { isolation, javaAgent, type Layer, rewriting, variables } from "./layer.ts";
import { maven } from "./maven.ts";
import { prepared } from "./prepared.ts";
import { multiplying, namespace, nodeImage } from "./servers.ts";

const sources = fileURLToPath(new URL("programs/spring", import.meta.url));
const mark = { name: "VERSION", value: "matrix" };

/** What the application is asked for, and through which of Spring's parts it finds out. */
const paths = {
  "Gateway, LoadBalancer": "/gateway/multiply/6/7",
  "OpenFeign, LoadBalancer": "/answers/feign",
  "WebClient": "/answers/webclient",
  "JDBC (MariaDB)": "/answers/jdbc",
  "Redis (Lettuce)": "/answers/redis",
  "AMQP (RabbitMQ)": "/answers/amqp",
};

/** The ways to start it, by the columns they have, and the layers that are tried with each. */
export const springStarts = [
  { name: "mvn spring-boot:run", layers: [javaAgent] },
  { name: "java -jar", layers: [variables, javaAgent, rewriting, isolation] },
] as const;

/**
 * The Spring scene: an application that runs here in the place of one of the cluster, with its environment. Requests from inside the cluster with
 * the mark have to be answered here, by what the application finds in the cluster; the same without it, there.
 */
export async function springVerdicts(
  home: Pick<Home, "env">,
  { name, layers }: typeof springStarts[number],
): Promise<Verdict[]> {
  const folder = await buildApplication();
  await kubectl(["-n", namespace, "apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: shop }));
  await kubectl(["-n", namespace, "rollout", "status", "deployment/shop", "--timeout=120s"]);
  const words = name === "java -jar"
    ? ["java", "-jar", `${folder}/target/shop.jar`]
    : [...maven, "-f", `${folder}/pom.xml`, "spring-boot:run"];
  const tried: { layer: Layer; answers: Readonly<Record<string, Answers>> }[] = [];
  for (const layer of layers) tried.push({ layer, answers: await play(home, words, layer) });
  return Object.keys(paths).map((client) => {
    const answers = tried.map(({ layer, answers }) => ({ layer, ...answers[client] ?? nothing }));
    const right = answers.filter(({ marked, unmarked }) => marked === "200 42" && unmarked.startsWith("404"));
    const inPlace = right.some(({ layer }) => layer === javaAgent);
    const said = answers.map(({ layer, marked, unmarked }) => `${layer.name}: marked ${marked}, unmarked ${unmarked}`);
    return {
      family: "Spring",
      runtime: `\`${name}\``,
      client,
      by: right.map(({ layer }) => layer),
      milliseconds: right[0]?.milliseconds ?? NaN,
      wrong: inPlace ? undefined : said.join("; "),
    };
  });
}

/** What came back for one path. */
interface Answers {
  readonly marked: string;
  readonly unmarked: string;
  readonly milliseconds: number;
}

const nothing: Answers = { marked: "was not asked", unmarked: "was not asked", milliseconds: NaN };

/** Runs the application once, and asks for all paths. */
async function play(
  home: Pick<Home, "env">,
  words: readonly string[],
  { flags }: Layer,
): Promise<Readonly<Record<string, Answers>>> {
  const port = freePort();
  await using running = new RunningHawser(home, [
    ...["run", "-n", namespace, ...flags, "--env-from", "deploy/shop", "--set", `SERVER_PORT=${port}`, "--no-register"],
    ...["--mesh", `shop:${port}`, "--version-mark", `${mark.name}:${mark.value}`, "--agent-image", nodeImage],
    ...["--", ...words],
  ]);
  try {
    await running.says(/Ready: /, 180_000);
  } catch (error) {
    const [marked = ""] = String(error).split("\n", 1);
    return Object.fromEntries(Object.keys(paths).map((client) => [client, { ...nothing, marked }]));
  }
  const asked = Object.entries(paths).map(async ([client, path]): Promise<[string, Answers]> => {
    const began = performance.now();
    const marked = await ask(path, true);
    const milliseconds = performance.now() - began;
    return [client, { marked, unmarked: await ask(path, false), milliseconds }];
  });
  return Object.fromEntries(await Promise.all(asked));
}

/** The folder in which the application is built: `target/shop.jar`. */
export async function buildApplication(): Promise<string> {
  const files = ["pom.xml", "src/main/java/matrix/Shop.java", "src/main/resources/application.yml"];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(`${sources}/${file}`)));
  return await prepared("spring", texts.join("\n"), async (folder) => {
    await succeed(["cp", "-r", `${sources}/.`, folder]);
    await succeed([...maven, "-f", `${folder}/pom.xml`, "package"]);
  });
}

/** Asks for a page of the service from inside the cluster: its status and its text. */
async function ask(path: string, marked: boolean): Promise<string> {
  const headers = marked ? { [mark.name]: mark.value } : {};
  const program = `fetch("http://shop${path}", { headers: ${
    JSON.stringify(headers)
  }, signal: AbortSignal.timeout(20000) })
    .then(async (answer) => console.log(answer.status, await answer.text()), (error) => console.log(String(error.cause ?? error)))`;
  return (await kubectl(["-n", namespace, "exec", "echo-0", "--", "node", "-e", program])).trim();
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

const fromSecret = (key: string) => ({ valueFrom: { secretKeyRef: { name: "shop", key } } });
const fromConfigMap = (key: string) => ({ valueFrom: { configMapKeyRef: { name: "shop", key } } });

/** Stands in the cluster for the application, with the environment that it would have there. */
const shop: readonly Manifest[] = [
  { apiVersion: "v1", kind: "Secret", metadata: { name: "shop" }, stringData: { password: databaseUser.password } },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "shop" }, data: { redis: "redis", rabbitmq: "rabbitmq" } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "shop" },
    spec: {
      selector: { matchLabels: { app: "shop" } },
      template: {
        metadata: { labels: { app: "shop" } },
        spec: multiplying([
          { name: "MARIADB_HOST", value: "mariadb" },
          { name: "SPRING_DATASOURCE_URL", value: "jdbc:mariadb://$(MARIADB_HOST):3306/shop" },
          { name: "SPRING_DATASOURCE_USERNAME", value: databaseUser.name },
          { name: "SPRING_DATASOURCE_PASSWORD", ...fromSecret("password") },
          { name: "SPRING_DATA_REDIS_HOST", ...fromConfigMap("redis") },
          { name: "SPRING_DATA_REDIS_PORT", value: "6379" },
          { name: "SPRING_DATA_REDIS_PASSWORD", ...fromSecret("password") },
          { name: "SPRING_RABBITMQ_HOST", ...fromConfigMap("rabbitmq") },
          { name: "SPRING_RABBITMQ_PORT", value: "5672" },
        ]),
      },
    },
  },
  service("shop", { ports: [{ name: "http", port: 80, targetPort: 8080 }] }),
];
