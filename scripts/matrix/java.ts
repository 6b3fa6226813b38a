import { fileURLToPath } from "node:url";
import { succeed } from "./command.ts";
import { isolation, javaAgent, javaProperties, rewriting, variables } from "./layer.ts";
import { downloadDependencies } from "./maven.ts";
import { prepared } from "./prepared.ts";
import type { Program } from "./program.ts";
import { inSid, javaFolder, prepareSid } from "./sid.ts";

const sources = fileURLToPath(new URL("programs/java", import.meta.url));

/** `Clients.java` knows each by this name. */
const clients = [
  ...["HttpURLConnection", "java.net.http", "OkHttp", "Apache HC5", "Apache HC5 async"],
  ...["Netty HTTP", "Reactor Netty", "Spring WebClient", "gRPC-java"],
  ...["MariaDB Connector/J", "MySQL Connector/J", "pgjdbc", "Jedis", "Lettuce"],
  ...["RabbitMQ client", "RabbitMQ client, NIO", "Kafka client", "NIO, pod's name", "NIO, pod's IP"],
];

/** Those that have long support. */
const versions = [8, 11, 17, 21, 25];

/** Libraries of Java on this machine's Java and on others from a chroot, which cannot be entered in isolation. */
export async function javaPrograms(): Promise<Program[]> {
  const properties = await succeed(["java", "-XshowSettings:properties", "-version"], { both: true });
  const here = Number(/java\.specification\.version = (?:1\.)?(\d+)/.exec(properties)?.[1]);
  const folder = await buildClients();
  await prepareSid(versions.filter((version) => version !== here));
  const layers = [variables, javaProperties, javaAgent, rewriting];
  const run = ["java", "-cp", `${folder}/lib/*:${folder}/classes`, "Clients"];
  const dbeaver: Program = {
    family: "Tools",
    runtime: "by",
    clients: ["DBeaver's driver (pgjdbc), local port"],
    words: () => ["sh", "-c", '"$@" | cut -f3', "sh", ...run, "pgjdbc"],
    answers: "output",
    layers: [rewriting],
  };
  const programs = versions.map((version): Program => {
    const enter = (words: readonly string[]) => version === here ? words : inSid(words);
    const java = version === here ? "java" : `${javaFolder(version)}/bin/java`;
    return {
      family: "Java",
      runtime: `Java ${version}`,
      clients: clients.filter((client) => version >= 11 || client !== "java.net.http"),
      words: (clients) => enter([java, ...run.slice(1), ...clients]),
      answers: "lines",
      layers: version === here ? [...layers, isolation] : layers,
      seconds: 150,
    };
  });
  return [dbeaver, ...programs];
}

/** The folder with the classes, and the libraries in `lib`. */
async function buildClients(): Promise<string> {
  const texts: string[] = [];
  for (const folder of [sources, `${sources}/src`, `${sources}/src11`]) {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name, isFile }) => isFile ? [name] : []);
    for (const name of names.flat().sort()) texts.push(name, await Deno.readTextFile(`${folder}/${name}`));
  }
  return await prepared("java", texts.join("\n"), async (folder) => {
    await downloadDependencies(`${sources}/pom.xml`, `${folder}/lib`);
    const javac = (...args: string[]) =>
      succeed(["sh", "-c", `exec javac -Xlint:-options -d "$0/classes" ${args.join(" ")}`, folder]);
    await javac("--release 8", '-cp "$0/lib/*"', `"${sources}"/src/*.java`);
    await javac("--release 11", '-cp "$0/classes"', `"${sources}"/src11/*.java`);
  });
}
