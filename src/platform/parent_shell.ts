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
    return (env.PSModulePath ?? "").split(";").some(isUsersModules) ? "powershell" : "cmd";
  }
  return known(await parentName()) ?? known(env.SHELL ?? "") ?? "bash";
}

/** Whether a folder of PowerShell modules is the user's own, which only PowerShell itself puts into its variable. */
function isUsersModules(folder: string): boolean {
  return /\\(Windows)?PowerShell\\Modules\\?$/i.test(folder) && !/^.:\\Program Files/i.test(folder);
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
  // Deno itself reads /proc only where everything is allowed; ps is not on every Linux.
  const [program, ...args] = os === "linux" ? ["cat", `/proc/${pid}/comm`] : ["ps", "-o", "comm=", "-p", `${pid}`];
  try {
    const { stdout } = await new Deno.Command(program!, { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return ""; // no such program
  }
}
