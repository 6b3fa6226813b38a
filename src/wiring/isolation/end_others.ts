import type { Clock } from "../../platform/clock.ts";

/** Milliseconds that processes have to end when asked, and between two looks whether they have. */
const grace = 3000, lookInterval = 50;

/**
 * Ends all other processes of this process's network namespace: asked first (SIGTERM), after 3 s not asked any more. What a program has left behind
 * would have a network that leads nowhere. Never rejects.
 */
export async function endOthers({ clock }: { readonly clock: Clock }): Promise<void> {
  const asked = new Set<number>();
  for (const deadline = clock.now() + grace; clock.now() < deadline;) {
    const others = await othersHere();
    if (others.length === 0) return;
    for (const pid of others) if (!asked.has(pid)) signal(pid, "SIGTERM");
    for (const pid of others) asked.add(pid);
    await clock.sleep(lookInterval);
  }
  for (const pid of await othersHere()) signal(pid, "SIGKILL");
}

async function othersHere(): Promise<number[]> {
  // Those of others do not let us look; one that has ended, but nobody has asked how, has no network any more.
  const script = "exec find /proc/[0-9]*/ns/net -maxdepth 0 -printf '%p %l\\n'";
  const shell = new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "null", stdout: "piped", stderr: "null" });
  const child = shell.spawn();
  const lines = new TextDecoder().decode((await child.output()).stdout);
  const namespaces = new Map<number, string>();
  for (const [, pid, namespace = ""] of lines.matchAll(/^\/proc\/(\d+)\/ns\/net (\S+)$/gm)) {
    namespaces.set(Number(pid), namespace);
  }
  const here = namespaces.get(Deno.pid);
  return [...namespaces.keys()].filter((pid) => namespaces.get(pid) === here && pid !== Deno.pid && pid !== child.pid);
}

function signal(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
