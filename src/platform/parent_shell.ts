import { basename } from "node:path";
import type { Environment } from "./proxy_settings.ts";

/** Shells whose way of setting variables is known; `bash` stands for every POSIX shell but zsh. */
export type ParentShell = "bash" | "zsh" | "fish" | "powershell" | "cmd";

/**
 * The shell that this process was most likely started from: by the name of the parent process, else by `SHELL`; on Windows by what
 * PowerShell and Git Bash leave in the environment, since asking for the parent takes long there.
 */
export async function parentShell(
  os: typeof Deno.build.os,
  env: Environment,
  parentName: () => Promise<string> = () => nameOf(Deno.ppid, os),
): Promise<ParentShell> {
  if (os === "windows") {
    if (env.SHELL || env.MSYSTEM) return "bash";
    return /[\\/]documents[\\/]/i.test(env.PSModulePath ?? "") ? "powershell" : "cmd"; // only PowerShell adds the user's own folder
  }
  return known(await parentName()) ?? known(env.SHELL ?? "") ?? "bash";
}

function known(path: string): ParentShell | undefined {
  switch (basename(path.trim().replace(/^-/, ""))) {
    case "bash":
    case "sh":
    case "dash":
    case "ksh":
      return "bash";
    case "zsh":
      return "zsh";
    case "fish":
      return "fish";
    case "pwsh":
      return "powershell";
  }
}

async function nameOf(pid: number, os: typeof Deno.build.os): Promise<string> {
  try {
    if (os === "linux") return await Deno.readTextFile(`/proc/${pid}/comm`);
    const { stdout } = await new Deno.Command("ps", { args: ["-o", "comm=", "-p", String(pid)], stderr: "null" })
      .output();
    return new TextDecoder().decode(stdout);
  } catch {
    return ""; // it has ended, or may not be looked at
  }
}
