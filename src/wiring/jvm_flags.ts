import type { ProxyAddress } from "./variables.ts";

/**
 * The system properties that send a JVM's connections through the proxy. HTTP clients that look at properties and plain sockets are
 * covered; what resolves names before it connects (MySQL Connector/J, Jedis) and what is built on NIO (Netty, Kafka, Lettuce) is not.
 */
export function jvmFlags(proxy: ProxyAddress): string[] {
  const socks = [`-DsocksProxyHost=127.0.0.1`, `-DsocksProxyPort=${proxy.port}`];
  if (proxy.auth) {
    // The HTTP properties have no room for a password: with them every request would be refused.
    return [
      ...socks,
      `-Djava.net.socks.username=${proxy.auth.username}`,
      `-Djava.net.socks.password=${proxy.auth.password}`,
    ];
  }
  return [
    ...["http", "https"].flatMap((
      scheme,
    ) => [`-D${scheme}.proxyHost=127.0.0.1`, `-D${scheme}.proxyPort=${proxy.port}`]),
    ...socks,
  ];
}
