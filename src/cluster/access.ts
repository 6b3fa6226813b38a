import type { Duplex } from "../stream/duplex.ts";

/** One way into one cluster: whom to talk to, as whom, and how. Made from a kubeconfig context by `openAccess`. */
export interface Access {
  /** Name of the kubeconfig context, `in-cluster` inside a pod. */
  readonly context: string;
  /** Namespace of the context, or `default`. */
  readonly namespace: string;
  /** Name of the kubeconfig user entry; empty where the context has none. */
  readonly user: string;
  /** The API server; the path prefix, if any, is kept. */
  readonly server: URL;
  /**
   * Opens a new connection to the API server: proxies passed, TLS done (HTTP/1.1), certificates checked, no-delay set. Rejects with an
   * {@linkcode AccessError}. The connection is plain bytes: the caller writes HTTP.
   */
  connect(signal: AbortSignal): Promise<Duplex>;
  /** The headers that identify the user in a request: `Authorization`, `Impersonate-*`. Runs exec plugins where needed. */
  headers(signal: AbortSignal): Promise<ReadonlyArray<readonly [string, string]>>;
  /** After a 401: gets new credentials. False when there are none other than those refused. */
  renew(signal: AbortSignal): Promise<boolean>;
}

/** What went wrong on the way to the API server. */
export type AccessErrorKind =
  | "kubeconfig"
  | "credentials"
  | "unreachable"
  | "tls"
  | "proxy"
  | "timeout";

/** A failure on the way to the API server, before Kubernetes itself could answer. The message is a sentence for people. */
export class AccessError extends Error {
  override readonly name = "AccessError";
  readonly kind: AccessErrorKind;
  constructor(kind: AccessErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
