import type { ClientCertificate } from "./client_certificate.ts";

/** How a user proves who they are. All reject with an `AccessError` of kind `credentials`. */
export interface Credentials {
  /** What to show in the TLS handshake; undefined for nothing. */
  certificate(signal: AbortSignal): Promise<ClientCertificate | undefined>;
  /** Value of the `Authorization` header; undefined for none. */
  authorization(signal: AbortSignal): Promise<string | undefined>;
  /** After a 401: gets new ones. False when there are none other than those refused. */
  renew(signal: AbortSignal): Promise<boolean>;
}
