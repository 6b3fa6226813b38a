/** Runs kubectl with the cluster of KUBECONFIG and gives its output; throws with what it said when it fails. */
export async function kubectl(args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command("kubectl", { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (!success) throw new Error(`kubectl ${args.join(" ")}: ${text.decode(stderr).trim()}`);
  return text.decode(stdout);
}

/** A `kubectl port-forward` to one port. */
export interface KubectlForward extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
}

/** Starts `kubectl port-forward` on a free local port and waits until it listens. */
export async function kubectlForward(namespace: string, target: string, port: number): Promise<KubectlForward> {
  const args = ["port-forward", "-n", namespace, "--address", "127.0.0.1", target, `:${port}`];
  const child = new Deno.Command("kubectl", { args, stdout: "piped", stderr: "inherit" }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let said = "";
  let local: string | undefined;
  while (local === undefined) {
    const { value, done } = await output.next();
    if (done) throw new Error(`kubectl ${args.join(" ")} ended: ${said}`);
    said += value;
    local = /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1];
  }
  const drained = drain(output);
  return {
    port: Number(local),
    async [Symbol.asyncDispose]() {
      child.kill();
      await drained;
      await child.status;
    },
  };
}

/** It says a line for each connection, and would stop at a full pipe. */
async function drain(output: AsyncIterator<string>): Promise<void> {
  while (!(await output.next()).done);
}
