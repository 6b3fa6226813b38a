import manifest from "../../deno.json" with { type: "json" };
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Log, silentLog } from "../platform/log.ts";
import { header, type HeaderList } from "../stream/http_head.ts";
import { type Access, AccessError } from "./access.ts";
import { type Api, ApiError, type ListResult, type PatchType, type Query, type WatchEvent } from "./api.ts";
import { type HttpExchange, HttpPool, SilenceError } from "./http_pool.ts";
import { JsonLines } from "./json_lines.ts";
import { readBody } from "./read_body.ts";

/** What `openApi` uses of the world. */
export interface ApiDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** A number from 0 to 1, 1 excluded, other each time. */
  readonly random: () => number;
}

/** Milliseconds of silence that an answer may take. */
const patience = 30_000;
/** A watch gets a bookmark about once a minute, so this much silence means that nobody is there any more. */
const watchPatience = 90_000;
const pageSize = 500;
const bodyLimit = 256 * 1024 * 1024;
const errorBodyLimit = 1024 * 1024;
const lineLimit = 16 * 1024 * 1024;
/** A server that asks for patience is asked again this often, and waited for this long, in seconds. */
const busyRetries = 3;
const longestWait = 10;

/** An Api and its connections. */
export interface OpenApi extends Api {
  /** Gives up all connections, as they lead nowhere any more: calls and watches under way fail, new ones get new connections. */
  reconnect(): void;
  /** Closes all connections for good; calls and watches under way fail. */
  close(): void;
}

/** The API of the server that `access` leads to, over few kept HTTP/1.1 connections; one more for each watch. */
export function openApi(access: Access, deps: Partial<ApiDeps> = {}): OpenApi {
  const { clock = systemClock, log = silentLog, random = Math.random } = deps;
  return new HttpApi(access, { clock, log, random });
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  /** JSON and its media type. */
  readonly body?: { readonly type: string; readonly value: unknown };
  readonly gzip?: boolean;
}

class HttpApi implements OpenApi {
  readonly #access: Access;
  readonly #deps: ApiDeps;
  readonly #pool: HttpPool;

  constructor(access: Access, deps: ApiDeps) {
    this.#access = access;
    this.#deps = deps;
    this.#pool = new HttpPool((signal) => access.connect(signal), deps);
  }

  async get<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
    return await this.#json<T>(getting(path, query), signal);
  }

  async list<T>(path: string, query: Query, signal: AbortSignal): Promise<ListResult<T>> {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const paged = { limit: pageSize, ...query, continue: next };
      let answer: Dated<ListPage<T>>;
      try {
        answer = await this.#answer<ListPage<T>>(getting(path, paged), signal);
      } catch (error) {
        if (next === undefined || !(error instanceof ApiError) || error.status !== 410) throw error;
        // The snapshot that the pages come from is gone, as on a busy cluster after five minutes: all at once then.
        answer = await this.#answer<ListPage<T>>(getting(path, query), signal);
        items.length = 0;
      }
      const { value: page, date } = answer;
      for (const item of page.items ?? []) items.push(item);
      next = page.metadata?.continue || undefined;
      if (next === undefined) {
        return { resourceVersion: page.metadata?.resourceVersion ?? "", items, ...date !== undefined && { date } };
      }
    } while (true);
  }

  async create<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
    return await this.#json<T>(
      { method: "POST", path, query: {}, body: { type: "application/json", value: body } },
      signal,
    );
  }

  async patch<T>(path: string, type: PatchType, body: unknown, query: Query, signal: AbortSignal): Promise<T> {
    // Server-side apply takes YAML, which JSON is.
    const media = type === "apply" ? "application/apply-patch+yaml" : `application/${type}-patch+json`;
    return await this.#json<T>({ method: "PATCH", path, query, body: { type: media, value: body } }, signal);
  }

  async delete(path: string, body: unknown, signal: AbortSignal): Promise<void> {
    const json = body === undefined ? undefined : { type: "application/json", value: body };
    await this.#json({ method: "DELETE", path, query: {}, body: json }, signal);
  }

  async *watch<T>(
    path: string,
    query: Query,
    resourceVersion: string,
    onVersion: (resourceVersion: string) => void,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const timeoutSeconds = 300 + Math.floor(this.#deps.random() * 300);
    const call = {
      method: "GET",
      path,
      query: { ...query, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds },
    };
    const exchange = await this.#send(call, signal);
    exchange.setPatience(watchPatience);
    try {
      const lines = new JsonLines(exchange, lineLimit);
      for (;;) {
        const event = await lines.next<RawEvent<T>>();
        if (event === null) return;
        if (event.type === "ERROR") throw statusError(event.object as Status, call);
        const version = event.object.metadata?.resourceVersion;
        if (event.type !== "BOOKMARK") yield { type: event.type, object: event.object };
        if (version) onVersion(version);
      }
    } catch (error) {
      throw this.#explain(error, signal);
    } finally {
      exchange.close();
    }
  }

  reconnect(): void {
    this.#pool.drop();
  }

  close(): void {
    this.#pool.close();
  }

  async #json<T>(call: Call, signal: AbortSignal): Promise<T> {
    return (await this.#answer<T>(call, signal)).value;
  }

  async #answer<T>(call: Call, signal: AbortSignal): Promise<Dated<T>> {
    const exchange = await this.#send(call, signal);
    try {
      const text = await readBody(exchange, bodyLimit);
      // The server's own words about its own objects: their shapes are the API's promise.
      const value = JSON.parse(text) as T;
      const date = Date.parse(header(exchange.head.headers, "date") ?? "");
      return { value, date: Number.isNaN(date) ? undefined : date };
    } catch (error) {
      throw this.#explain(error, signal);
    } finally {
      exchange.close();
    }
  }

  /** Sends a call until it is answered well: once more with new credentials, a few times to a server that asks for patience. */
  async #send(call: Call, signal: AbortSignal): Promise<HttpExchange> {
    let renewed = false;
    for (let attempt = 1;; attempt++) {
      const exchange = await this.#exchange(call, signal);
      if (exchange.head.status < 300) return exchange;
      const error = await this.#failure(exchange, call);
      if (error.status === 401 && !renewed && await this.#access.renew(signal)) {
        renewed = true;
        // Kept connections may have shown the old client certificate.
        this.#pool.clear();
        continue;
      }
      const busy = error.status === 429 || (error.status === 503 && error.retryAfter !== undefined);
      const wait = error.retryAfter ?? 1;
      if (!busy || attempt > busyRetries || wait > longestWait) throw error;
      this.#deps.log.debug(`${error.request}: ${error.status}, asked to come back in ${wait} s`);
      await this.#deps.clock.sleep(wait * 1000, signal);
    }
  }

  async #exchange(call: Call, signal: AbortSignal): Promise<HttpExchange> {
    const { server } = this.#access;
    const body = call.body ? new TextEncoder().encode(JSON.stringify(call.body.value)) : new Uint8Array(0);
    const headers: HeaderList = [
      ["Host", server.host],
      ["User-Agent", `hawser/${manifest.version}`],
      ["Accept", "application/json"],
    ];
    if (call.gzip) headers.push(["Accept-Encoding", "gzip"]);
    if (call.body) headers.push(["Content-Type", call.body.type]);
    if (call.body || call.method === "POST") headers.push(["Content-Length", String(body.length)]);
    for (const [name, value] of await this.#access.headers(signal)) headers.push([name, value]);
    const target = `${server.pathname.replace(/\/$/, "")}${call.path}${formatQuery(call.query)}`;
    try {
      return await this.#pool.send(
        { head: { method: call.method, target, minor: 1, headers }, body, patience },
        signal,
      );
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  async #failure(exchange: HttpExchange, call: Call): Promise<ApiError> {
    const { status, headers } = exchange.head;
    const seconds = Number(header(headers, "retry-after") ?? NaN);
    const retryAfter = Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
    let text = "";
    try {
      text = await readBody(exchange, errorBodyLimit);
    } catch {
      // The status says enough.
    } finally {
      exchange.close();
    }
    const said = parseStatus(text) ?? { message: plainMessage(exchange, text) };
    return statusError(
      status === 401 ? { ...said, message: this.#refusal(said.message) } : said,
      call,
      status,
      retryAfter,
    );
  }

  /** Kubernetes says "Unauthorized" and nothing else. */
  #refusal(said: string | undefined): string {
    const { user, context } = this.#access;
    const who = user === "" ? "requests without credentials" : `the credentials of user "${user}"`;
    return `The API server does not accept ${who} in context "${context}" (${
      said ?? 401
    }): log in again, or get a new kubeconfig`;
  }

  #explain(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof AccessError || error instanceof ApiError) return error;
    const server = `The API server "${this.#access.server.origin}"`;
    if (error instanceof SilenceError) {
      return new AccessError("timeout", `${server} gave ${error.message}`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    return new AccessError("unreachable", `The connection to "${this.#access.server.origin}" failed: ${reason}`, {
      cause: error,
    });
  }
}

function getting(path: string, query: Query): Call {
  return { method: "GET", path, query, gzip: true };
}

interface Dated<T> {
  readonly value: T;
  /** By the server's clock. */
  readonly date: number | undefined;
}

interface ListPage<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  /** Go writes an empty list as null at times. */
  readonly items?: readonly T[] | null;
}

interface RawEvent<T> {
  readonly type: WatchEvent<T>["type"] | "BOOKMARK" | "ERROR";
  readonly object: T & { readonly metadata?: { readonly resourceVersion?: string } };
}

/** `meta/v1` Status, as far as it is of use. */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

function statusError(status: Status, call: Call, http?: number, retryAfter?: number): ApiError {
  const code = http ?? status.code ?? 500;
  const request = `${call.method} ${call.path}`;
  const message = status.message || status.reason || `HTTP status ${code}`;
  return new ApiError(code, status.reason ?? "", message, request, retryAfter ?? status.details?.retryAfterSeconds);
}

function parseStatus(text: string): Status | undefined {
  try {
    const value = JSON.parse(text) as Status & { readonly kind?: string };
    return value?.kind === "Status" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An answer that is not Kubernetes': a proxy's page, a load balancer's word. One line of it tells who speaks. */
function plainMessage(exchange: HttpExchange, text: string): string {
  const { status, reason, headers } = exchange.head;
  const location = header(headers, "location");
  if (status < 400 && location) return `HTTP status ${status}, sent on to "${location}": is this the API server?`;
  const html = (header(headers, "content-type") ?? "").includes("html");
  const title = html ? /<title>([^<]{1,200})/i.exec(text)?.[1] : text.split("\n", 1)[0]?.slice(0, 200);
  return [`HTTP status ${status}`, reason, title].filter((part) => part?.trim()).join(": ");
}

function formatQuery(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
