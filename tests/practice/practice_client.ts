import type { Practice } from "./practice.ts";

/** A plain HTTP client of a practice cluster, as one of its users. */
export class PracticeClient {
  readonly #base: string;
  readonly #client: Deno.HttpClient;
  readonly #headers: Readonly<Record<string, string>>;

  /** `user` null sends no credentials. `headers` are sent with each request. */
  constructor(practice: Practice, user: string | null = "admin", headers: Readonly<Record<string, string>> = {}) {
    const certificate = user === null ? undefined : practice.certificate(user);
    this.#base = practice.server;
    this.#client = Deno.createHttpClient({
      caCerts: [practice.authority],
      ...(certificate ? { cert: certificate.certificate, key: certificate.key } : {}),
    });
    const byToken = user !== null && !certificate;
    this.#headers = { ...(byToken ? { Authorization: `Bearer ${practice.token(user)}` } : {}), ...headers };
  }

  /** Sends `body` as JSON, a patch by the middle of its media type. The answer's body is parsed where it is JSON. */
  async request<T>(
    method: string,
    path: string,
    body?: unknown,
    patch?: string,
  ): Promise<{ status: number; headers: Headers; body: T }> {
    const type = patch ? `application/${patch}-patch+${patch === "apply" ? "yaml" : "json"}` : "application/json";
    const response = await fetch(this.#base + path, {
      method,
      client: this.#client,
      headers: { ...this.#headers, ...(body === undefined ? {} : { "Content-Type": type }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get("content-type") === "application/json";
    // Tests say what they expect to get.
    return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as T };
  }

  get<T>(path: string): Promise<{ status: number; headers: Headers; body: T }> {
    return this.request<T>("GET", path);
  }

  /** Opens a watch. `next` resolves with the next event, or null at the end, and rejects when the connection broke. */
  async watch<T>(path: string): Promise<PracticeWatch<T>> {
    const abort = new AbortController();
    const response = await fetch(this.#base + path, {
      client: this.#client,
      headers: this.#headers,
      signal: abort.signal,
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    return {
      status: response.status,
      async next() {
        for (;;) {
          const end = rest.indexOf("\n");
          if (end >= 0) {
            const line = rest.slice(0, end);
            rest = rest.slice(end + 1);
            return JSON.parse(line) as WatchLine<T>; // tests say what they watch
          }
          const { value, done } = await reader.read();
          if (done) return null;
          rest += value;
        }
      },
      async close() {
        abort.abort();
        await reader.cancel().catch(() => {}); // it was aborted
      },
    };
  }

  close(): void {
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One line of a watch. */
export interface WatchLine<T> {
  readonly type: string;
  readonly object: T;
}

/** An open watch. */
export interface PracticeWatch<T> {
  readonly status: number;
  next(): Promise<WatchLine<T> | null>;
  close(): Promise<void>;
}
