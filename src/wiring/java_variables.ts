import type { Environment } from "../platform/proxy_settings.ts";
import { javaToolOptions, javaToolOptionsRemark } from "./java_tool_options.ts";

/** Where the Java agent is and whom it asks. */
export interface JavaAgent {
  /** The front door's. */
  readonly port: number;
  /** The absolute path of `hawser-agent.jar` on this machine. */
  readonly file: string;
}

/** Netty connects through the JDK, where the agent is, only without its own native code; gRPC and Reactor ask by names of their own. */
const throughJdk = [
  "-Dio.netty.transport.noNative=true",
  "-Dio.grpc.netty.shaded.io.netty.transport.noNative=true",
  "-Dreactor.netty.native=false",
];

/**
 * The variable by which every JVM loads the agent: `JAVA_TOOL_OPTIONS`, after what `env` has there. None where a JVM might not find the file and then
 * would not start; {@linkcode javaRemark} says why.
 */
export function javaVariables(agent: JavaAgent, env: Environment, os: typeof Deno.build.os): Record<string, string> {
  if (!isLoadable(agent, os)) return {};
  const options = [`-javaagent:${agent.file}=${agent.port}`, ...throughJdk];
  return { JAVA_TOOL_OPTIONS: javaToolOptions(options, env, os) };
}

/** Why some Java programs run without the agent, as a sentence without a period; undefined where there is no reason. */
export function javaRemark(agent: JavaAgent, env: Environment, os: typeof Deno.build.os): string | undefined {
  const { JAVA_TOOL_OPTIONS } = javaVariables(agent, env, os);
  if (JAVA_TOOL_OPTIONS !== undefined) return javaToolOptionsRemark(JAVA_TOOL_OPTIONS);
  return `Java programs run without hawser's agent, as "${agent.file}" is a path that not every JVM finds: ${
    wayOut[os] ?? otherWayOut
  }`;
}

const otherWayOut = "set XDG_STATE_HOME to a folder of plain letters";
const wayOut: Partial<Record<typeof Deno.build.os, string>> = {
  windows: "set LOCALAPPDATA to a folder of plain letters",
  darwin: "a folder above it has = in its name",
};

/**
 * A JVM takes what follows the first `=` for the agent's argument. Other characters than ASCII it reads by the locale (`LC_ALL=C` is enough to lose
 * them) or by Windows' code page; on macOS always as UTF-8.
 */
function isLoadable({ file }: JavaAgent, os: typeof Deno.build.os): boolean {
  return !file.includes("=") && (os === "darwin" || /^[\x20-\x7e]*$/.test(file));
}
