/** One event of a watch, as the Kubernetes API words it; `BOOKMARK` and `ERROR` events never reach the caller. */
export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: T;
}

/** A list as the Kubernetes API returns it, all pages joined. */
export interface ListResult<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
  /** When the last page was answered, by the server's clock, in milliseconds since the Unix epoch; undefined where it does not say. In whole seconds. */
  readonly date?: number;
}

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Typed calls to the API server. Paths start with `/api` or `/apis`. All reject with {@linkcode ApiError} or an `AccessError`. */
export interface Api {
  get<T>(path: string, query: Query, signal: AbortSignal): Promise<T>;
  list<T>(path: string, query: Query, signal: AbortSignal): Promise<ListResult<T>>;
  create<T>(path: string, body: unknown, signal: AbortSignal): Promise<T>;
  /** `type` is the media type's middle: `merge`, `strategic-merge`, `json` or `apply`. */
  patch<T>(path: string, type: PatchType, body: unknown, query: Query, signal: AbortSignal): Promise<T>;
  delete(path: string, body: unknown, signal: AbortSignal): Promise<void>;
  /**
   * One watch from `resourceVersion` on, until the server ends it (the iteration returns) or it fails (it throws, 410 included). Sees to
   * bookmarks, a server timeout and the silence timer. `onVersion` is told each new resourceVersion.
   */
  watch<T>(
    path: string,
    query: Query,
    resourceVersion: string,
    onVersion: (resourceVersion: string) => void,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
}

/** Kinds of patch that the API server takes. */
export type PatchType = "merge" | "strategic-merge" | "json" | "apply";

/** The API server said no: a Kubernetes `Status`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status. */
  readonly status: number;
  /** Kubernetes' reason word (`Forbidden`, `NotFound`, `Expired` …), empty where the answer was not a Status. */
  readonly reason: string;
  /** What was asked, as `GET /api/v1/…`, without query. */
  readonly request: string;
  /** Seconds after which the server wants to be asked again, from `Retry-After`. */
  readonly retryAfter: number | undefined;
  constructor(status: number, reason: string, message: string, request: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.request = request;
    this.retryAfter = retryAfter;
  }
}
