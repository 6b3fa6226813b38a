import { environment } from "../platform/environment.ts";
import type { Environment } from "../platform/proxy_settings.ts";

/** Bytes of the variable that Java 8 reads; a longer one it ignores as a whole, and says nothing. */
const java8Limit = 1023;

/** The value of `JAVA_TOOL_OPTIONS` with options after those `env` has there: of two that set the same, a JVM takes the last. */
export function javaToolOptions(options: readonly string[], env: Environment, os: typeof Deno.build.os): string {
  const own = environment(env, os).JAVA_TOOL_OPTIONS?.trim();
  return [...own ? [own] : [], ...options.map(quoted)].join(" ");
}

/** Why programs may run as if the variable were not set, as a sentence without a period; undefined where there is no reason. */
export function javaToolOptionsRemark(value: string): string | undefined {
  const size = new TextEncoder().encode(value).length;
  return size > java8Limit
    ? `JAVA_TOOL_OPTIONS has ${size} bytes with yours, and Java 8 ignores more than ${java8Limit}: shorten your own, or use a newer Java`
    : undefined;
}

/** As a JVM splits the variable: either quote keeps all up to the next one as it is, anywhere in a word; nothing escapes. */
function quoted(option: string): string {
  if (!/[\s"']/.test(option)) return option;
  return option.split('"').map((part) => part === "" ? "" : `"${part}"`).join(`'"'`);
}
