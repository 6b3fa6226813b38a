import { join } from "node:path";
import { findProgram } from "../../platform/program.ts";
import type { Environment } from "../../platform/proxy_settings.ts";
import { natRules, type NatTool } from "./nat_rules.ts";

/** The system's programs that isolation is made with, by their paths. */
export interface IsolationTools {
  readonly ip: string;
  readonly mount: string;
  readonly setpriv: string;
  readonly nat: NatTool;
  /** What reads the rules of each family from its standard input. */
  readonly natCommands: Readonly<Record<4 | 6, readonly [string, ...string[]]>>;
}

/** Arguments of `setpriv` before a program that is to have no power over its namespaces, and to end with whoever has started it. */
export const powerless = ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--pdeathsig=KILL", "--"];

/** The variable that is set for programs that are isolated. */
export const isolatedVariable = "HAWSER_ISOLATED";

/** Finds them; the name of one that is missing otherwise. Folders of administrators are looked through too, which users' PATH often lacks. */
export async function findIsolationTools(env: Environment): Promise<IsolationTools | { readonly missing: string }> {
  const find = (name: string) => findTool(name, env);
  const [ip, mount, setpriv] = await Promise.all(["ip", "mount", "setpriv"].map(find));
  const [four, six, nft] = await Promise.all(["iptables-restore", "ip6tables-restore", "nft"].map(find));
  if (!ip) return { missing: '"ip" (package iproute2)' };
  if (!mount || !setpriv) return { missing: '"mount" and "setpriv" (package util-linux)' };
  const common = { ip, mount, setpriv };
  if (four && six) return { ...common, nat: "iptables", natCommands: { 4: [four, "-w"], 6: [six, "-w"] } };
  if (nft) return { ...common, nat: "nft", natCommands: { 4: [nft, "-f", "-"], 6: [nft, "-f", "-"] } };
  return { missing: '"iptables" or "nft" (package iptables or nftables)' };
}

/** A program of the system's; undefined where there is none. */
export async function findTool(name: string, env: Environment): Promise<string | undefined> {
  const PATH = [env.PATH, "/usr/sbin", "/usr/bin", "/sbin", "/bin"].filter(Boolean).join(":");
  try {
    return await findProgram(name, { env: { PATH }, os: "linux" });
  } catch {
    return undefined;
  }
}

/** Variables that the tools need beside those of the user: whoever is not root cannot take the lock of `iptables` where it usually is. */
export function toolVariables(folder: string): Readonly<Record<string, string>> {
  return { XTABLES_LOCKFILE: join(folder, "xtables.lock") };
}

/** Shell lines that do the parts of it that a kernel may refuse; for a namespace that is thrown away. */
export function trialLines(tools: IsolationTools): string {
  const quoted = (words: readonly string[]) => words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const rules = natRules(tools.nat, 4, { catchPort: 1, host: [], own: [] });
  return [
    `${quoted([tools.ip])} link set lo up`,
    `${quoted([tools.ip])} route add local default dev lo`,
    `${quoted(tools.natCommands[4])} <<'END'\n${rules}END`,
    quoted([tools.setpriv, ...powerless, "true"]),
  ].join("\n");
}
