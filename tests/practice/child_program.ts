import { logLines } from "./log_lines.ts";
import type { Program } from "./program.ts";

/**
 * A program that runs as a process of its own. `command` gets the container and the real port to bind for each declared port, and says what to
 * start; the process should listen on `container.address`. It is ready when it writes its first line to stdout; its output is the container's log.
 */
export function childProgram(
  command: (
    container: Parameters<Program>[0],
    ports: ReadonlyMap<number, number>,
  ) => { readonly command: string; readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> },
): Program {
  return async (container) => {
    const ports = new Map<number, number>();
    for (const { port } of container.ports) ports.set(port, await container.reserve(port));
    const { command: path, args, env } = command(container, ports);
    const child = new Deno.Command(path, {
      args: [...args],
      env: { ...container.env, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const logged = [logLines(child.stderr, container.log)];
    const ready = new Promise<void>((resolve) => {
      logged.push(logLines(child.stdout, (line) => {
        container.log(line);
        resolve();
      }));
    });
    const end = async () => {
      await child.status;
      await Promise.all(logged);
    };
    const exited = child.status.then(({ code }) => code);
    const code = await Promise.race([ready, exited]);
    if (code !== undefined) {
      await end();
      throw new Error(`"${path}" ended with status ${code} before it was ready`);
    }
    return async () => {
      try {
        child.kill();
      } catch {
        // It has ended by itself.
      }
      await end();
    };
  };
}
