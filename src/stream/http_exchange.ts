import { bufferedDuplex } from "./buffered_duplex.ts";
import { type BufferedReader, UnexpectedEnd } from "./buffered_reader.ts";
import { type Framing, keepsAlive, openBody, responseFraming } from "./http_body.ts";
import {
  formatRequestHead,
  formatResponseHead,
  HeadError,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
} from "./http_head.ts";
import type { ClientConnection } from "./client_connection.ts";
import { concatBytes } from "./concat_bytes.ts";
import { copyBody } from "./copy_body.ts";
import type { Duplex } from "./duplex.ts";
import { asksForUpgrade, forwardedResponseHead } from "./forwarded_head.ts";
import type { Upstream } from "./kept_upstreams.ts";

/** A request on its way to its destination. */
export interface ForwardedRequest {
  /** As it came from the client. */
  readonly head: RequestHead;
  readonly framing: Framing;
  /** As it goes on. */
  readonly forwarded: RequestHead;
  /** The destination, for people. */
  readonly name: string;
  /** Sees every head that comes back; throws on one that is not the destination's: the error becomes the `cause` of the failure. */
  readonly check?: (head: ResponseHead) => void;
}

/** An exchange without an answer; nothing was sent to the client. */
export interface ExchangeFailure {
  readonly kind: "failed";
  /** What the connection to the destination, or the request's `check`, threw. */
  readonly cause: unknown;
  /** What happened, in a sentence that names the destination. */
  readonly message: string;
  /** Not a byte came, as when a kept connection had just been closed. */
  readonly silent: boolean;
}

/** How an exchange ended. */
export type ExchangeEnd =
  /** The client has its answer; which of the connections may carry another request. */
  | { readonly kind: "answered"; readonly clientLives: boolean; readonly upstreamLives: boolean }
  | ExchangeFailure
  /** The client's body cannot be read. */
  | { readonly kind: "malformed"; readonly error: HeadError }
  /** Nothing more can be said on the client's connection: it broke, its answer broke off, or it was a tunnel that has ended. */
  | { readonly kind: "over" };

/** How sending the request went: whole; not taken by the destination; the client's body is malformed; the client broke off. */
type Upload = "sent" | "not-taken" | "broken" | HeadError;

/** Bytes that a response's head may have. */
const headLimit = 65536;

/** Milliseconds that a request's body may still take once the answer is complete; most destinations read no further then. */
const lateUpload = 1000;

/** The client does not take its answer. */
class ClientGone extends Error {}

/** One request and its answer: sends the one and, at the same time, gives back the other. */
export class HttpExchange {
  readonly #connection: ClientConnection;
  readonly #request: ForwardedRequest;
  readonly #upstream: Upstream;
  #upload: Promise<unknown> = Promise.resolve();
  #uploaded: Upload | undefined;
  #over = false;
  #stopWatching = () => {};

  constructor(connection: ClientConnection, request: ForwardedRequest, upstream: Upstream) {
    this.#connection = connection;
    this.#request = request;
    this.#upstream = upstream;
  }

  /** Whether nothing of the request is left to read from the client. */
  get bodyRead(): boolean {
    return this.#request.framing.kind === "none" || this.#uploaded === "sent";
  }

  /** Runs it to its end; never rejects for what client or destination do. */
  async run(): Promise<ExchangeEnd> {
    const { signal } = this.#connection;
    const cut = () => this.#upstream.stream.reset();
    signal.addEventListener("abort", cut, { once: true });
    if (signal.aborted) cut();
    this.#upload = this.#send();
    try {
      return await this.#receive();
    } catch (error) {
      if (!(error instanceof ClientGone)) throw error;
      cut();
      return { kind: "over" };
    } finally {
      this.#over = true;
      this.#stopWatching();
      signal.removeEventListener("abort", cut);
    }
  }

  /** Resolves once nothing more reads the request's body from the client: where the destination is gone that is with its next piece. */
  async uploadEnds(): Promise<void> {
    await this.#upload;
  }

  async #send(): Promise<void> {
    this.#uploaded = await this.#sendAll();
    // With the request out there is time to notice that the client leaves while the destination still thinks.
    if (this.#uploaded === "sent" && !this.#over) {
      this.#stopWatching = this.#connection.whenGone(() => this.#upstream.stream.reset());
    }
  }

  async #sendAll(): Promise<Upload> {
    const { forwarded, framing } = this.#request;
    const { reader, traffic } = this.#connection;
    let taken = true;
    const write = async (data: Uint8Array) => {
      try {
        await this.#upstream.stream.write(data);
      } catch (error) {
        taken = false;
        throw error;
      }
    };
    try {
      const onBytes = (count: number) => traffic.sent += count;
      await sendMessage(formatRequestHead(forwarded), reader, framing, framing, { write }, onBytes);
      return "sent";
    } catch (error) {
      if (!taken) return "not-taken";
      // Half a body must not look like a whole one.
      this.#upstream.stream.reset();
      if (error instanceof RangeError) {
        return new HeadError(`Chunked coding with a line that is too long: ${error.message}`);
      }
      return error instanceof HeadError ? error : "broken";
    }
  }

  async #receive(): Promise<ExchangeEnd> {
    let silent = true;
    let head: ResponseHead;
    let framing: Framing;
    try {
      if (!await this.#upstream.stream.peek()) throw new UnexpectedEnd("nothing");
      silent = false;
      head = await this.#finalHead();
      framing = responseFraming(head, this.#request.head.method);
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      return this.#fail(error, silent);
    }
    if (head.status === 101) return await this.#switch(head);
    return await this.#answer(head, framing);
  }

  /** Reads heads up to the first that is the answer, or 101; passes interim ones on, but to HTTP/1.0 clients, which know none. */
  async #finalHead(): Promise<ResponseHead> {
    const { minor } = this.#request.head;
    for (;;) {
      const bytes = await this.#upstream.reader.head(headLimit);
      if (!bytes) throw new UnexpectedEnd("an answer");
      const head = parseResponseHead(bytes);
      this.#request.check?.(head);
      if (head.status === 101 && !asksForUpgrade(this.#request.head)) {
        throw new HeadError("Status 101 that nobody asked for");
      }
      if (head.status === 101 || head.status >= 200) return head;
      if (minor > 0) {
        await this.#toClient(
          formatResponseHead(forwardedResponseHead(head, { kind: "none" }, { minor, persistent: true })),
        );
      }
    }
  }

  async #answer(head: ResponseHead, framing: Framing): Promise<ExchangeEnd> {
    const { client, closing, traffic } = this.#connection;
    const request = this.#request.head;
    // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
    const back: Framing = framing.kind === "chunked" && request.minor === 0 ? { kind: "close" } : framing;
    const clientLives = !closing && keepsAlive(request) && this.bodyRead && back.kind !== "close";
    const answer = forwardedResponseHead(head, back, { minor: request.minor, persistent: clientLives });
    try {
      const write = (data: Uint8Array) => this.#toClient(data);
      const onBytes = (count: number) => traffic.received += count;
      await sendMessage(formatResponseHead(answer), this.#upstream.reader, framing, back, { write }, onBytes);
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      // Half an answer must not look like a whole one.
      client.reset();
      this.#upstream.stream.reset();
      return { kind: "over" };
    }
    const whole = await this.#bodyReadSoon();
    const upstreamLives = whole && keepsAlive(head) && framing.kind !== "close" &&
      this.#upstream.reader.buffered.length === 0;
    if (!upstreamLives) this.#upstream.stream.close();
    return { kind: "answered", clientLives, upstreamLives };
  }

  async #switch(head: ResponseHead): Promise<ExchangeEnd> {
    await this.#upload;
    this.#stopWatching();
    const { minor } = this.#request.head;
    await this.#toClient(
      formatResponseHead(forwardedResponseHead(head, { kind: "none" }, { minor, persistent: true })),
    );
    await this.#connection.tunnel(bufferedDuplex(this.#upstream.stream, this.#upstream.reader));
    return { kind: "over" };
  }

  #fail(error: unknown, silent: boolean): ExchangeEnd {
    this.#upstream.stream.reset();
    if (this.#uploaded instanceof HeadError) return { kind: "malformed", error: this.#uploaded };
    if (this.#uploaded === "broken") return { kind: "over" };
    const { name } = this.#request;
    const message = error instanceof HeadError || error instanceof RangeError
      ? `${name} does not answer in HTTP/1: ${error.message}`
      : `${name} accepted the connection but closed it without an answer`;
    return { kind: "failed", cause: error, message, silent };
  }

  async #bodyReadSoon(): Promise<boolean> {
    if (this.#uploaded === undefined) {
      let cancel = () => {};
      const late = new Promise<void>((resolve) => cancel = this.#connection.clock.after(lateUpload, resolve));
      await Promise.race([this.#upload, late]);
      cancel();
    }
    return this.#uploaded === "sent";
  }

  async #toClient(data: Uint8Array): Promise<void> {
    try {
      await this.#connection.client.write(data);
    } catch (error) {
      throw new ClientGone("The client does not take its answer", { cause: error });
    }
  }
}

/**
 * Sends a head and the body behind it in `reader`, which comes as `framing` says and goes on as `back` does; in one write where all of it is there
 * already, as most messages are that small.
 */
async function sendMessage(
  head: Uint8Array,
  reader: BufferedReader,
  framing: Framing,
  back: Framing,
  to: Pick<Duplex, "write">,
  onBytes: (count: number) => void,
): Promise<void> {
  if (framing.kind === "none") return await to.write(head);
  if (framing.kind === "length" && framing.length <= reader.buffered.length) {
    onBytes(framing.length);
    const message = concatBytes([head, reader.buffered.subarray(0, framing.length)]);
    reader.consume(framing.length);
    return await to.write(message);
  }
  await to.write(head);
  await copyBody(openBody(reader, framing), to, back.kind === "chunked", onBytes);
}
