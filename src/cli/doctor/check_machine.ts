import { join } from "node:path";
import { writePrivateFile } from "../../platform/private_file.ts";
import { listenTcp } from "../../stream/listen_tcp.ts";
import type { CliDeps } from "../deps.ts";
import { runningSessions } from "../running_sessions.ts";
import { failed, type Finding, ok, warn } from "./finding.ts";

/** Ports, folders and sessions of this machine. */
export async function checkMachine(deps: Pick<CliDeps, "paths">): Promise<Finding[]> {
  return [await checkPort(deps), await checkAddresses(), ...await checkFolders(deps), await checkSessions(deps)];
}

async function checkPort(deps: Pick<CliDeps, "paths">): Promise<Finding> {
  const problem = await listens("127.0.0.1", 1080);
  if (problem === undefined) return ok("port 1080", "free for the proxy");
  const holder = (await runningSessions(deps)).find(({ note }) => note.port === 1080);
  const who = holder ? `held by session ${holder.note.name}` : `cannot be had (${problem})`;
  return warn("port 1080", `${who}; connect takes another one, or that of --port`);
}

async function checkAddresses(): Promise<Finding> {
  const problem = await listens("127.77.0.1", 0);
  if (problem === undefined) return ok("local addresses", "127.77.x.y can be used by connect --listen");
  return warn(
    "local addresses",
    `127.77.x.y cannot be used (${problem}); connect --listen uses ports of 127.0.0.1 instead`,
  );
}

/** Why nobody can listen there; undefined where one can. */
async function listens(host: string, port: number): Promise<string | undefined> {
  try {
    const listener = await listenTcp({ host, port }, (stream) => stream.reset());
    await listener.close();
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

async function checkFolders(deps: Pick<CliDeps, "paths">): Promise<Finding[]> {
  try {
    const { state, cache } = deps.paths();
    for (const folder of [state, cache]) {
      const path = join(folder, "doctor");
      await writePrivateFile(path, "");
      await Deno.remove(path);
    }
    return [ok("folders", `${state}, ${cache}`)];
  } catch (error) {
    return [failed("folders", error)];
  }
}

async function checkSessions(deps: Pick<CliDeps, "paths">): Promise<Finding> {
  try {
    const names = (await runningSessions(deps)).map(({ note }) => note.name);
    return ok("sessions", names.length === 0 ? "none runs" : `running: ${names.join(", ")}`);
  } catch (error) {
    return failed("sessions", error);
  }
}
