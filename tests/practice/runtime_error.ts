/** An error from behind the API server, kubelet's or the container runtime's: its answer is plain text, not a `Status`. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}
