/** Runs kubectl in the current context and gives what it prints. */
export async function kubectl(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("kubectl", { args, stdin: "null" }).output();
  if (!success) throw new Error(`kubectl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Creates objects, or changes them where they exist. */
export async function apply(...items: readonly unknown[]): Promise<void> {
  const child = new Deno.Command("kubectl", { args: ["apply", "-f", "-"], stdin: "piped", stdout: "null" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ apiVersion: "v1", kind: "List", items })));
  await writer.close();
  if (!(await child.status).success) throw new Error("kubectl apply failed");
}
