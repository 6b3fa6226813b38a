/**
 * Milliseconds from the start of a program to its end, or with `until` to the line on its stdout that has this; it is ended then. Throws with what
 * it said where it fails before.
 */
export async function startTime(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  until?: string,
): Promise<number> {
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let said = "";
  let reached = until === undefined ? undefined : NaN;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (until === undefined || !Number.isNaN(reached) || !said.includes(until)) continue;
    reached = performance.now() - begin;
    child.kill("SIGKILL");
  }
  const { success } = await child.status;
  const took = reached ?? (success ? performance.now() - begin : NaN);
  if (Number.isNaN(took)) throw new Error(`${program} ${args.join(" ")} did not start:\n${said}`);
  return took;
}
