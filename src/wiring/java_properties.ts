import type { Environment } from "../platform/proxy_settings.ts";
import { javaToolOptions } from "./java_tool_options.ts";
import { jvmFlags } from "./jvm_flags.ts";
import type { ProxyAddress } from "./variables.ts";

/**
 * The variable that sends every JVM's connections through the proxy by system properties, for whom the agent does not suit:
 * `JAVA_TOOL_OPTIONS`, after what `env` has there. What {@linkcode jvmFlags} says holds for what it reaches. Throws a `Failure` where the proxy asks
 * for a password.
 */
export function javaProperties(
  proxy: ProxyAddress,
  env: Environment,
  os: typeof Deno.build.os,
): Record<string, string> {
  return { JAVA_TOOL_OPTIONS: javaToolOptions(jvmFlags(proxy), env, os) };
}
