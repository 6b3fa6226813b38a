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
