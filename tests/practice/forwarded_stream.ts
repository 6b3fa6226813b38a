import type { Counters } from "./counters.ts";

/** What a {@linkcode ForwardedStream} needs. */
export interface ForwardedStreamDeps {
  readonly dial: (port: number) => Promise<Deno.TcpConn>;
  readonly explain: (port: number, failure: Error) => string;
  readonly teardown: number;
  readonly pairing: number;
  readonly counters: Counters;
  /** Sends data on a stream, and ends it with `end`. */
  readonly send: (id: number, data: Uint8Array, end: boolean) => Promise<void>;
}

const nothing = new Uint8Array();

/**
 * One forwarded connection: a data stream and an error stream, and a socket to the pod. When one direction ends, the other has a second
 * (`teardown`) to end too; then both are over. The pod never sees a half-closed connection.
 */
export class ForwardedStream {
  dataId = 0;
  errorId = 0;
  readonly #deps: ForwardedStreamDeps;
  readonly #pairing: ReturnType<typeof setTimeout>;
  readonly #uploaded = Promise.withResolvers<Error | undefined>();
  readonly #aborted = Promise.withResolvers<void>();
  readonly #connected = Promise.withResolvers<Deno.TcpConn | undefined>();
  #uploadOver = false;
  #reset = false;

  /** `late` is called if the second stream does not come, and says what is wrong. */
  constructor(deps: ForwardedStreamDeps, late: () => string) {
    this.#deps = deps;
    this.#pairing = setTimeout(() => {
      const message = new TextEncoder().encode(late());
      if (this.errorId) deps.send(this.errorId, message, true).catch(() => {}); // the client is gone
    }, deps.pairing);
  }

  get complete(): boolean {
    return this.dataId > 0 && this.errorId > 0;
  }

  join(kind: "data" | "error", id: number): void {
    if (kind === "data") this.dataId = id;
    else this.errorId = id;
  }

  /** Forwards until it is over. Never rejects. */
  async run(port: number): Promise<void> {
    clearTimeout(this.#pairing);
    const { counters } = this.#deps;
    counters.streams++;
    counters.openStreams++;
    try {
      const failure = await this.#forward(port);
      if (!this.#reset) await this.#deps.send(this.dataId, nothing, true);
      if (failure) await this.#deps.send(this.errorId, new TextEncoder().encode(failure), false);
      await this.#deps.send(this.errorId, nothing, true);
    } catch {
      // The client is gone.
    } finally {
      counters.openStreams--;
    }
  }

  /** Resolves when the pod has taken it, or when nobody wants it any more. */
  async upload(data: Uint8Array): Promise<void> {
    const socket = await this.#connected.promise;
    try {
      while (socket && !this.#uploadOver && data.length > 0) data = data.subarray(await socket.write(data));
    } catch (error) {
      this.#endUpload(error as Error); // sockets reject with Errors
    }
  }

  endUpload(): void {
    this.#endUpload(undefined);
  }

  /** The client has reset the data stream. */
  resetUpload(): void {
    this.#reset = true;
    this.#endUpload(undefined);
  }

  /** The session is over. */
  abort(): void {
    clearTimeout(this.#pairing);
    this.#aborted.resolve();
    this.#connected.resolve(undefined);
  }

  #endUpload(failure: Error | undefined): void {
    this.#uploadOver = true;
    this.#uploaded.resolve(failure);
  }

  /** What went wrong, in the container runtime's words; empty if nothing. */
  async #forward(port: number): Promise<string> {
    let socket: Deno.TcpConn;
    try {
      socket = await this.#deps.dial(port);
    } catch (error) {
      this.#connected.resolve(undefined);
      return (error as Error).message; // dial rejects with Errors
    }
    this.#connected.resolve(socket);
    const directions = [this.#uploaded.promise, this.#download(socket)];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const first = await Promise.race([...directions, this.#aborted.promise]);
    const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, this.#deps.teardown));
    const second = await Promise.race([Promise.all(directions), grace, this.#aborted.promise]);
    clearTimeout(timer);
    this.#uploadOver = true;
    socket.close();
    const failure = first ?? second?.find((failure) => failure !== undefined);
    return failure ? this.#deps.explain(port, failure) : "";
  }

  /** Copies from the pod to the client; resolves with what broke the connection, if anything. */
  async #download(socket: Deno.TcpConn): Promise<Error | undefined> {
    const buffer = new Uint8Array(32 << 10);
    try {
      for (let length; (length = await socket.read(buffer)) !== null;) {
        await this.#deps.send(this.dataId, buffer.slice(0, length), false);
      }
      return undefined;
    } catch (error) {
      return error as Error; // sockets reject with Errors
    }
  }
}
