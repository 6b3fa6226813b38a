import { join } from "node:path";
import { selfCommand } from "../platform/self.ts";
import { systemResolvers } from "../platform/system_resolvers.ts";
import { openDns } from "../dns/open_dns.ts";
import { listenUnix } from "../stream/listen_unix.ts";
import { socketNames } from "../wiring/isolation/control_message.ts";
import { makeIsolationFolder } from "../wiring/isolation/isolation_folder.ts";
import { type Isolation, openIsolation } from "../wiring/isolation/open_isolation.ts";
import type { Connection } from "./connection.ts";
import type { CliDeps } from "./deps.ts";
import type { IsolatingCommand } from "./find_isolation.ts";

/** Opens the isolation behind a command, for the programs of a connection. Rejects with a `Failure` where no folder can be made. */
export async function isolate(
  unshare: IsolatingCommand,
  connection: Pick<Connection, "directory" | "proxy" | "serve">,
  { env, clock, log }: Pick<CliDeps, "env" | "clock" | "log">,
): Promise<Isolation> {
  const { directory, proxy } = connection;
  await using opened = new AsyncDisposableStack();
  const folder = await makeIsolationFolder(env);
  opened.defer(() => Deno.remove(folder, { recursive: true }).catch(() => {}));
  const forwardTo = (await systemResolvers()).map((host) => ({ host, port: 53 }));
  const dns = await openDns({ port: 0, forwardTo }, {
    directory,
    clock,
    log,
    listen: (serve) => {
      const listen = (name: string, transport: "tcp" | "udp") =>
        listenUnix(join(folder, name), { clock }, (stream) => serve(stream, transport));
      const listeners = [listen(socketNames.dns, "tcp"), listen(socketNames.dnsDatagrams, "udp")];
      const close = async () => void await Promise.all(listeners.map((each) => each.close()));
      return { port: 0, tcp: { close }, udp: undefined };
    },
  });
  opened.defer(() => dns.close());
  const isolation = openIsolation({
    folder,
    unshare,
    inside: (folder) => selfCommand(["__isolated", folder]),
    plan: {
      door: { port: proxy.port, username: proxy.auth?.username ?? "", password: proxy.auth?.password ?? "" },
      resolvConf: resolvConf(directory.namespace, directory.zone),
    },
  }, { serveDoor: (stream) => connection.serve(stream), clock, log });
  opened.defer(() => isolation.close());
  const everything = opened.move();
  return { wrap: isolation.wrap, close: () => everything.disposeAsync() };
}

/** What a pod of the namespace has (dnsPolicy ClusterFirst). */
function resolvConf(namespace: string, zone: string): string {
  return `nameserver 127.0.0.1\nsearch ${namespace}.svc.${zone} svc.${zone} ${zone}\noptions ndots:5\n`;
}
