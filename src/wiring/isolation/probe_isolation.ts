import { readProc } from "../../platform/read_proc.ts";
import type { Environment } from "../../platform/proxy_settings.ts";
import { makeIsolationFolder } from "./isolation_folder.ts";
import {
  findIsolationTools,
  findTool,
  isolatedVariable,
  type IsolationTools,
  toolVariables,
  trialLines,
} from "./isolation_tools.ts";

/** Whether programs can be isolated here. */
export type IsolationProbe =
  | {
    readonly possible: true;
    /** The command that a program stands behind to run in namespaces of its own. */
    readonly unshare: readonly [string, ...string[]];
    readonly tools: IsolationTools;
  }
  /** Why not, as a clause without a period. */
  | { readonly possible: false; readonly reason: string };

/** The user's own id where util-linux has a word for it (2.35 and later); root's, which is as powerless outside, where it has not. */
const mappings = [["--map-current-user", "--keep-caps"], ["--map-root-user"]];

/**
 * Tries user, network and mount namespaces, with the rules that isolation needs, and throws them away again, which takes some 20 ms.
 * Rejects with a `Failure` where no folder can be made.
 */
export async function probeIsolation(
  { os, env }: { readonly os: typeof Deno.build.os; readonly env: Environment },
): Promise<IsolationProbe> {
  if (os !== "linux") return { possible: false, reason: "it takes namespaces, which only Linux has" };
  if (env[isolatedVariable] !== undefined) {
    return { possible: false, reason: "hawser itself runs in such a network already, which leads to the cluster" };
  }
  const [unshare, tools] = await Promise.all([findTool("unshare", env), findIsolationTools(env)]);
  if (!unshare) return { possible: false, reason: 'there is no program "unshare" (package util-linux)' };
  if ("missing" in tools) return { possible: false, reason: `there is no program ${tools.missing}` };
  const folder = await makeIsolationFolder(env);
  try {
    return await tryNamespaces(unshare, tools, folder);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function tryNamespaces(unshare: string, tools: IsolationTools, folder: string): Promise<IsolationProbe> {
  let said = "";
  for (const mapping of mappings) {
    const namespaces = ["--user", "--net", "--mount", ...mapping];
    const { success, stderr } = await new Deno.Command(unshare, {
      args: [...namespaces, "--", "/bin/sh", "-euc", trialLines(tools)],
      env: toolVariables(folder),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return { possible: true, unshare: [unshare, ...namespaces, "--"], tools };
    said ||= new TextDecoder().decode(stderr).trim().split("\n")[0] ?? "";
  }
  return { possible: false, reason: `the system does not allow it (${said})${await hint()}` };
}

/** Ubuntu's own way to forbid it has its own way to allow it. */
async function hint(): Promise<string> {
  const path = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
  const restricted = (await readProc(path)).trim() === "1";
  return restricted
    ? ". An administrator can allow it with: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    : "";
}
