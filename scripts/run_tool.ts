/** Runs a program in the project's root and answers what it wrote to stdout. Throws with all it wrote where it fails. */
export async function runTool(program: string, args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: `${import.meta.dirname}/..`,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return stdout;
  const decoder = new TextDecoder();
  throw new Error(
    `${program} ${args.slice(0, 4).join(" ")} failed:\n${decoder.decode(stderr)}${decoder.decode(stdout)}`,
  );
}
