import { dirname, join } from "node:path";
import { environment } from "../platform/environment.ts";
import { isPlain, plainPath } from "../platform/plain_path.ts";
import type { Environment } from "../platform/proxy_settings.ts";
import { hookSources } from "../wiring/hook_sources.ts";
import { installFile } from "../wiring/install_file.ts";
import { javaProperties } from "../wiring/java_properties.ts";
import { javaRemark, javaVariables } from "../wiring/java_variables.ts";
import { nodeVariables } from "../wiring/node_variables.ts";
import { pythonVariables } from "../wiring/python_variables.ts";
import { programVariables, type ProxyAddress, withFormer } from "../wiring/variables.ts";
import type { Options } from "./command.ts";
import type { CliDeps } from "./deps.ts";
import type { wiringFlags } from "./grammar/wiring_flags.ts";

/** Where the session is that a program is wired to. */
export interface ProgramReach {
  readonly proxy: ProxyAddress;
  readonly namespace: string;
}

/** How a program is wired. */
export interface Wiring {
  /** What to set, beside what `env` has; undone by `unwired`. */
  readonly variables: Readonly<Record<string, string>>;
  /** What could not be done and what is done instead, a sentence each without a period. */
  readonly remarks: readonly string[];
}

/** One way in which programs are wired: resolves with variables to set, given all that is set before. */
type Layer = (env: Environment) => Promise<Readonly<Record<string, string>>>;

/**
 * Wires a program and all it starts: variables of the proxy first, then the hooks, each of which only adds to what is there. A hook that
 * cannot be had is left out with a remark.
 */
export async function wireProgram(
  options: Options<typeof wiringFlags>,
  { proxy, namespace }: ProgramReach,
  env: Environment,
  deps: Pick<CliDeps, "os" | "paths">,
): Promise<Wiring> {
  const { os } = deps;
  const remarks: string[] = [];
  const variables: Record<string, string> = {
    ...programVariables(proxy, env, os),
    ...springVariables(namespace, environment(env, os)),
  };
  const install = async (name: string, content: Uint8Array) =>
    plainPath(await installFile(join(folderFor(deps.paths().state, env, os), "hooks"), name, content), os);
  const layers: Record<string, Layer> = {
    ...options.java === "agent" && {
      "--java agent": async (env) => {
        const file = await install("hawser-agent.jar", await hookSources.java());
        const remark = javaRemark({ port: proxy.port, file }, env, os);
        if (remark !== undefined) remarks.push(remark);
        return javaVariables({ port: proxy.port, file }, env, os);
      },
    },
    ...options.java === "props" && { "--java props": (env) => Promise.resolve(javaProperties(proxy, env, os)) },
    ...options.node === "hook" && {
      "--node hook": async (env) => {
        const file = await install("hook.cjs", await hookSources.node());
        return nodeVariables({ port: proxy.port, file }, env, os);
      },
    },
    ...options.python === "hook" && {
      "--python hook": async (env) => {
        const file = await install("sitecustomize.py", await hookSources.python());
        return pythonVariables({ port: proxy.port, folder: dirname(file) }, env, os);
      },
    },
  };
  const names = Object.keys(layers);
  if (proxy.auth && names.length > 0) {
    const are = names.length > 1 ? "are" : "is";
    remarks.push(`${names.join(", ")} ${are} off: a session with --auth lets in only what knows its password`);
    return { variables: withFormer(variables, env, os), remarks };
  }
  for (const [name, layer] of Object.entries(layers)) {
    try {
      Object.assign(variables, await layer({ ...env, ...variables }));
    } catch (error) {
      remarks.push(`${name} is off: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { variables: withFormer(variables, env, os), remarks };
}

/** A folder of the user's own for files that programs of any locale are to load: the state folder, else the one for this login where only that is plain. */
function folderFor(state: string, env: Environment, os: typeof Deno.build.os): string {
  const runtime = env.XDG_RUNTIME_DIR;
  const isBetter = os === "linux" && !isPlain(state) && runtime?.startsWith("/") && isPlain(runtime);
  return isBetter ? `${runtime}/hawser` : state;
}

/** Spring Cloud Kubernetes: services by name, not by their pods' addresses, in the namespace that is in use. */
function springVariables(namespace: string, env: Environment): Record<string, string> {
  const wanted = {
    SPRING_CLOUD_KUBERNETES_LOADBALANCER_MODE: "SERVICE",
    SPRING_CLOUD_KUBERNETES_CLIENT_NAMESPACE: namespace,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => env[name] === undefined));
}
