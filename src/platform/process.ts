import process from "node:process";

/** Whether a process with this id lives; ids are reused, so this alone does not tell which process it is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // it lives and belongs to somebody else
  }
}

/** Ends a process and, on Windows, all it started; elsewhere it is asked with SIGTERM. False where there was nothing to end. */
export async function endProcess(pid: number, os: typeof Deno.build.os = Deno.build.os): Promise<boolean> {
  if (os === "windows") {
    const { success } = await new Deno.Command("taskkill", {
      args: ["/T", "/F", "/PID", String(pid)],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  }
  try {
    Deno.kill(pid, "SIGTERM");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
