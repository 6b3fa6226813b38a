import { givenBy, type IdleFlags } from "../idle_flags.ts";
import { relayFlags } from "./relay_flags.ts";
import { domain, listenPort, namespaces, texts, toggle } from "../flag.ts";

/** The flags of every command that opens a connection to the cluster for other programs. */
export const connectionFlags = {
  port: listenPort("port of the proxy on 127.0.0.1; 1080 by default, or any free one where that is taken"),
  "dns-port": listenPort("port of the DNS resolver on 127.0.0.1; any free one by default"),
  "no-dns": toggle("open no DNS resolver"),
  "dns-forward": texts(
    "SERVER,…",
    "DNS servers for names that are not the cluster's, \"system\" for this machine's own; refused by default",
  ),
  listen: toggle("open a local port for each port of each service, for programs that know no proxy"),
  namespaces: namespaces("more namespaces to watch beside the one in use"),
  ...relayFlags,
  include: texts("HOST,…", "more hosts, .suffixes and address ranges to reach from inside the cluster; needs --relay"),
  exclude: texts("HOST,…", "hosts, .suffixes and address ranges to keep out of the cluster"),
  auth: toggle("let in only programs that know a password made up at start, for machines with several users"),
  "cluster-domain": domain("DNS zone of the cluster; found by asking CoreDNS's configuration, else cluster.local"),
};

/** Which of them do nothing beside which. */
export const idleConnectionFlags: readonly IdleFlags[] = [{
  flags: ["dns-port"],
  reason(given) {
    const off = givenBy(given, "no-dns");
    return off && `is for the DNS resolver, which ${off} leaves out: leave out one of the two`;
  },
}];

const ofAnyConnection = ["kubeconfig", "context", "namespace", "as", "as-group"];

/** For commands that either connect or use a session that runs. */
export const idleWithSession: IdleFlags = {
  flags: [...Object.keys(connectionFlags), ...ofAnyConnection],
  reason(given) {
    const session = givenBy(given, "session");
    return session && `belongs to the session, which is connected already: leave it or ${session} out`;
  },
};

/** For commands that are only about sessions that run. */
export const idleForSessions: IdleFlags = {
  flags: ofAnyConnection,
  reason: () => "belongs to hawser connect, and a session keeps what it was started with: leave it out",
};
