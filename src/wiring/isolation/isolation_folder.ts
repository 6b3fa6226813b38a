import { join } from "node:path";
import { Failure } from "../../platform/failure.ts";
import { isAlive } from "../../platform/process.ts";
import type { Environment } from "../../platform/proxy_settings.ts";

/** Begins the name of each folder; the id of the process that made it follows. */
const prefix = "hawser-isolation-";

/**
 * Makes a folder for the sockets of an isolation that only the user may enter, and removes those of processes that are no more. In
 * `XDG_RUNTIME_DIR`, else in `/tmp`: paths of sockets have 108 bytes at the most (unix(7)), and the state folder may be deep.
 */
export async function makeIsolationFolder(
  env: Environment,
  alive: (pid: number) => boolean = isAlive,
): Promise<string> {
  const runtime = env.XDG_RUNTIME_DIR;
  let problem: unknown;
  for (const dir of [...runtime?.startsWith("/") && runtime.length < 48 ? [runtime] : [], "/tmp"]) {
    try {
      const folder = await Deno.makeTempDir({ dir, prefix: `${prefix}${Deno.pid}-` }); // 0700, whatever the umask
      await sweep(dir, alive);
      return folder;
    } catch (error) {
      problem = error;
    }
  }
  throw new Failure(`No folder for sockets can be made in /tmp: ${problem}`, { cause: problem });
}

async function sweep(dir: string, alive: (pid: number) => boolean): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]);
    if (!Number.isInteger(pid) || alive(pid)) continue;
    await Deno.remove(join(dir, name), { recursive: true }).catch(() => {}); // another user's
  }
}
