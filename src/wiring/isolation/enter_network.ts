import { join } from "node:path";
import { Failure } from "../../platform/failure.ts";
import type { IsolationPlan } from "./control_message.ts";
import type { IsolationTools } from "./isolation_tools.ts";
import { ownAddress } from "./nat_rules.ts";

/**
 * Makes the namespaces of this process ready: every destination is delivered to the namespace itself (AnyIP), and resolvers ask there. Throws a
 * {@linkcode Failure} that says which step failed.
 */
export async function enterNetwork(
  { resolvConf, ipv6 }: Pick<IsolationPlan, "resolvConf" | "ipv6">,
  { ip, mount }: IsolationTools,
  folder: string,
): Promise<void> {
  const four = ["link set lo up", `address add ${ownAddress}/32 dev lo`, "route add local default dev lo"];
  await runTool([ip, "-batch", "-"], four);
  try {
    // Without a way out, programs must see that there is none and take IPv4; only private addresses may be the cluster's.
    await runTool([ip, "-6", "-batch", "-"], [`route add local ${ipv6 ? "default" : "fc00::/7"} dev lo`]);
  } catch {
    // IPv6 is switched off on this machine
  }
  await cover("/etc/resolv.conf", resolvConf, { mount, folder });
  const switches = await Deno.readTextFile("/etc/nsswitch.conf").catch(() => undefined);
  if (switches !== undefined) await cover("/etc/nsswitch.conf", onlyFilesAndDns(switches), { mount, folder });
  // A cache of names outside would be asked before anything else.
  if (await Deno.stat("/run/nscd").catch(() => undefined)) {
    await Deno.mkdir(join(folder, "nscd"));
    await runTool([mount, "--bind", join(folder, "nscd"), "/run/nscd"]);
  }
}

/** Host names by `/etc/hosts` and DNS: other sources (systemd-resolved, mDNS) are asked over sockets that lead out (nsswitch.conf(5)). */
export function onlyFilesAndDns(nsswitch: string): string {
  return `${nsswitch.replace(/^\s*hosts:.*$/gm, "").trimEnd()}\nhosts: files dns\n`;
}

/** Lays a file of ours over one of the system's, for this mount namespace alone. */
async function cover(
  path: string,
  text: string,
  { mount, folder }: { readonly mount: string; readonly folder: string },
): Promise<void> {
  const ours = join(folder, path.slice(path.lastIndexOf("/") + 1));
  await Deno.writeTextFile(ours, text);
  await Deno.chmod(ours, 0o644);
  await runTool([mount, "--bind", ours, path]);
}

/** Runs a program of the system's on lines of input. Throws a {@linkcode Failure} with what it said. */
export async function runTool(
  [program = "", ...args]: readonly string[],
  lines: readonly string[] = [],
): Promise<void> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "null", stderr: "piped" }).spawn();
  const written = child.stdin.getWriter();
  await written.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))).catch(() => {});
  await written.close().catch(() => {}); // it has ended without reading: its status says so
  const { success, stderr } = await child.output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Failure(`The program cannot be isolated: "${[program, ...args].join(" ")}" failed: ${said}`);
}
