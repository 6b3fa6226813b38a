import { Failure } from "../platform/failure.ts";
import type { ProxyAddress } from "./variables.ts";

/**
 * The system properties that send a JVM's connections through the proxy. HTTP clients that look at properties and plain sockets are
 * covered; what resolves names before it connects (MySQL Connector/J, Jedis) and what is built on NIO (Netty, Kafka, Lettuce) is not.
 * Throws a {@linkcode Failure} where the proxy asks for a password: no property carries one, whatever some lists of them say; the JDK asks
 * the program's `java.net.Authenticator`.
 */
export function jvmFlags(proxy: ProxyAddress): string[] {
  if (proxy.auth) {
    throw new Failure(
      "Java has no properties for a proxy's password, and this session asks for one (--auth): use hawser forward or connect --listen, or connect without --auth",
    );
  }
  const http = ["http", "https"].flatMap((scheme) => [
    `-D${scheme}.proxyHost=127.0.0.1`,
    `-D${scheme}.proxyPort=${proxy.port}`,
  ]);
  return [...http, "-DsocksProxyHost=127.0.0.1", `-DsocksProxyPort=${proxy.port}`];
}
