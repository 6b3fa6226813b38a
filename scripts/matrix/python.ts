import { fileURLToPath } from "node:url";
import { succeed } from "./command.ts";
import { isolation, pythonHook, rewriting, variables } from "./layer.ts";
import { prepared } from "./prepared.ts";
import type { Program } from "./program.ts";

const sources = fileURLToPath(new URL("programs/python", import.meta.url));

/** `clients.py` knows each by this name. */
const clients = [
  ...["urllib", "requests", "httpx", "psycopg2", "pymysql", "redis-py", "pika"],
  ...["socket, pod's name", "asyncio, pod's IP"],
];

/** Libraries of Python on the Python of this machine. */
export async function pythonPrograms(): Promise<Program[]> {
  const version = (await succeed(["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])).trim();
  const requirements = await Deno.readTextFile(`${sources}/requirements.txt`);
  const folder = await prepared("python", version + requirements, async (folder) => {
    await succeed(["python3", "-m", "venv", folder]);
    await succeed([`${folder}/bin/pip`, "install", "--quiet", "-r", `${sources}/requirements.txt`]);
  });
  return [{
    family: "Python",
    runtime: `Python ${version}`,
    clients,
    words: (clients) => [`${folder}/bin/python`, `${sources}/clients.py`, ...clients],
    answers: "lines",
    layers: [variables, pythonHook, rewriting, isolation],
    seconds: 120,
  }];
}
