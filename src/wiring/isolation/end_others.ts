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
  const here = await Deno.readLink("/proc/self/ns/net");
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    // Those of others do not let us look; one that has ended, but nobody has asked how, has no network any more.
    if (await Deno.readLink(`/proc/${pid}/ns/net`).catch(() => "") === here) found.push(pid);
  }
  return found;
}

function signal(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
