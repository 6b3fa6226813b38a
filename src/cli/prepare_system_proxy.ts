import { Failure } from "../platform/failure.ts";
import { WindowsProxy } from "../platform/windows_proxy.ts";
import { systemPac } from "../proxy/system_pac.ts";
import type { CliDeps } from "./deps.ts";
import type { ConnectInvocation } from "./grammar/connect.ts";
import { runningSessions } from "./running_sessions.ts";
import { UsageError } from "./usage_error.ts";

/** What preparing takes. */
export interface PrepareSystemProxyDeps extends Pick<CliDeps, "os" | "paths"> {
  readonly sessions?: typeof runningSessions;
  readonly proxy?: WindowsProxy;
}

/**
 * Makes sure that a session may set the proxy of the user's Windows: what a dead one has left is put back, and the user's own PAC file, which is to go on
 * deciding about everything else, can be read. Throws a {@linkcode UsageError} where it has no meaning, and a {@linkcode Failure} where a running
 * session has it.
 */
export async function prepareSystemProxy(
  { port, auth }: Pick<ConnectInvocation["options"], "port" | "auth">,
  { os, paths, sessions = runningSessions, proxy }: PrepareSystemProxyDeps,
): Promise<WindowsProxy> {
  if (os !== "windows") {
    throw new UsageError(
      `--system-proxy is for Windows: here the proxy of the whole system takes administrator rights. Open a browser with hawser browser, or name the PAC file http://127.0.0.1:${
        port || 1080
      }/proxy.pac in the settings of yours`,
      "connect",
    );
  }
  if (auth) {
    throw new UsageError(
      "--system-proxy and --auth do not go together: every program with windows would ask you for the password",
      "connect",
    );
  }
  proxy ??= new WindowsProxy(paths().state);
  const holder = (await proxy.note())?.id;
  if (holder !== undefined) {
    const running = (await sessions({ paths })).find(({ note }) => note.id === holder);
    if (running) {
      const { name } = running.note;
      throw new Failure(`Session "${name}" has the system's proxy: end it with hawser disconnect ${name} first`);
    }
    await proxy.giveBack(holder);
  }
  await systemPac(await proxy.settings());
  return proxy;
}
