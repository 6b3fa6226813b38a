/** A host, in whatever form it was written, and a port; where a program is to find something. */
export interface RewrittenAddress {
  readonly host: string;
  readonly port: number;
}

/** The local address that stands for a host and port of the cluster; undefined where none does. The host is without brackets. */
export type ListenerOf = (host: string, port: number) => RewrittenAddress | undefined;

/** The ports that URLs of these schemes mean where they name none; `jdbc:` and the like before them do not matter. */
const defaultPorts: Readonly<Record<string, number>> = {
  http: 80,
  ws: 80,
  https: 443,
  wss: 443,
  mysql: 3306,
  mariadb: 3306,
  postgres: 5432,
  postgresql: 5432,
  sqlserver: 1433,
  redis: 6379,
  rediss: 6379,
  mongodb: 27017,
  amqp: 5672,
  amqps: 5671,
  nats: 4222,
  mqtt: 1883,
  mqtts: 8883,
  ldap: 389,
  ldaps: 636,
  smtp: 25,
  nacos: 8848,
  zookeeper: 2181,
};

const name = "[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,251}[a-zA-Z0-9])?\\.?";
const host = `\\[[0-9a-fA-F:.]{2,45}\\]|${name}`;
/** One address and the port beside it, as it stands in a list. */
const address = new RegExp(`^(${host})(?::(\\d{1,5}))?$`);
/** The authority of a URL (RFC 3986, several hosts allowed): its schemes, user and hosts. */
const url =
  /([a-zA-Z][\w+.:-]{0,63}):\/\/((?:[^\s/?#"'<>\\]*@)?)((?:(?!,[a-zA-Z][\w+.:-]{0,63}:\/\/)[^\s/?#"'<>\\;()])+)/y;
/** `host:port` on its own: nothing that belongs to a longer name may be around it. */
const bare = new RegExp(`(${host}):(\\d{1,5})(?=$|[\\s,;/"')}\\]|?&])`, "y");
const before = /[\s,;="'({[|]/;
/** `host=db port=5432` and `Server=db;Port=5432`, as libraries have them instead of a URL. */
const pair = new RegExp(`\\b((?:host|server|address|data source)\\s*=\\s*)(${host})(?=$|[\\s;&])`, "i");
const pairedPort = /\b(port\s*=\s*)(\d{1,5})(?=$|[\s;&])/i;

/**
 * A value with the addresses in it replaced by those that `listenerOf` knows: in URLs (also of drivers, with users and with several hosts), in lists of
 * `host:port`, and in `host=…;port=…`. All else, users, passwords and paths among it, stays as it is. What it returns, it leaves as it is, as long as
 * `listenerOf` knows nothing of the addresses that it gives out.
 */
export function rewriteAddresses(value: string, listenerOf: ListenerOf): string {
  let result = "";
  let at = 0;
  while (at < value.length) {
    const last = value[at - 1] ?? " ";
    url.lastIndex = bare.lastIndex = at;
    const inUrl = /[\w+.:-]/.test(last) ? null : url.exec(value);
    if (inUrl) {
      const [all, scheme = "", user = "", hosts = ""] = inUrl;
      const standard = defaultPorts[scheme.toLowerCase().split(/[:+]/).findLast((part) => part in defaultPorts) ?? ""];
      result += `${scheme}://${user}${rewriteList(hosts, standard, listenerOf)}`;
      at += all.length;
      continue;
    }
    const alone = before.test(last) ? bare.exec(value) : null;
    if (alone) {
      result += rewriteList(alone[0], undefined, listenerOf);
      at += alone[0].length;
      continue;
    }
    result += value[at++];
  }
  return rewritePair(result, listenerOf);
}

/** `standard` is the port of what names none. The list ends where something comes that is no address. */
function rewriteList(hosts: string, standard: number | undefined, listenerOf: ListenerOf): string {
  return hosts.split(",").map((each) => {
    const [, host, port] = address.exec(each) ?? [];
    const found = host && lookUp(host, port === undefined ? standard : Number(port), listenerOf);
    return found ? written(found) : each;
  }).join(",");
}

function rewritePair(value: string, listenerOf: ListenerOf): string {
  const [, , host = ""] = pair.exec(value) ?? [];
  const [, , port] = pairedPort.exec(value) ?? [];
  const found = port === undefined ? undefined : lookUp(host, Number(port), listenerOf);
  if (!found) return value;
  return value.replace(pair, (_, key: string) => key + found.host).replace(
    pairedPort,
    (_, key: string) => key + found.port,
  );
}

function lookUp(host: string, port: number | undefined, listenerOf: ListenerOf): RewrittenAddress | undefined {
  if (port === undefined || port < 1 || port > 65535) return undefined;
  return listenerOf(host.startsWith("[") ? host.slice(1, -1) : host, port);
}

function written({ host, port }: RewrittenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
