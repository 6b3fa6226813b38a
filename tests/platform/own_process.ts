/** Runs a program of these lines, which may import by absolute URLs, in a process of its own. Its stdout arrives line by line. */
export class OwnProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(code: string): Promise<OwnProcess> {
    const args = ["run", "-A", "--no-check", "--no-config", "--no-lock", "--unstable-net", "-"];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
    const stdin = child.stdin.getWriter();
    await stdin.write(new TextEncoder().encode(code));
    await stdin.close();
    return new OwnProcess(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Rejects where it ends without another line. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line.trimEnd();
      }
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("The process has ended without another line");
      this.#text += value;
    }
  }

  /** Its exit status. */
  async ended(): Promise<number> {
    return (await this.#child.status).code;
  }

  /** Ends it on the spot, and nothing that it started. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill();
    } catch {
      // it has ended by itself
    }
    await this.#child.status;
    await this.#lines.cancel();
  }
}
