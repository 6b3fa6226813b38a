import { isAlive } from "../platform/process.ts";
import { WindowsProxy } from "../platform/windows_proxy.ts";
import type { CliDeps } from "./deps.ts";

/** What sweeping takes. */
export interface SweepSystemProxyDeps extends Pick<CliDeps, "paths" | "terminal"> {
  readonly alive?: (pid: number) => boolean;
  readonly proxy?: WindowsProxy;
}

/** Puts the proxy of the user's Windows back where the session that set it was killed. Never rejects: whatever this command is for comes first. */
export async function sweepSystemProxy(
  { paths, terminal, alive = isAlive, proxy }: SweepSystemProxyDeps,
): Promise<void> {
  try {
    proxy ??= new WindowsProxy(paths().state);
  } catch {
    return; // nobody's home: no session can have noted anything there
  }
  try {
    const note = await proxy.note();
    if (note && !alive(note.pid) && await proxy.giveBack(note.id)) {
      terminal.tell("Windows's proxy settings are what they were before a hawser connect that was killed");
    }
  } catch (error) {
    terminal.tell(
      `Windows's proxy settings are still those of a hawser connect that was killed: ${
        error instanceof Error ? error.message : error
      }`,
    );
  }
}
