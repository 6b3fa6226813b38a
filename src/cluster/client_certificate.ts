import { createPrivateKey, X509Certificate } from "node:crypto";
import { AccessError } from "./access.ts";

/** A certificate chain and its key, PEM: PKCS#1, PKCS#8 or SEC1. */
export interface ClientCertificate {
  readonly chain: string;
  readonly key: string;
}

/**
 * Checks that a client certificate can be used at `wall` (milliseconds since the epoch): TLS libraries fail with riddles, servers with a bare
 * 401. `owner` says whose it is (`user "x"`). Throws an {@linkcode AccessError}.
 */
export function checkClientCertificate(found: ClientCertificate, owner: string, wall: number): void {
  const fault = (what: string) => new AccessError("credentials", `The client certificate of ${owner} ${what}`);
  const certificate = attempt(() => new X509Certificate(found.chain));
  if (!certificate) throw fault("is not a certificate in PEM form");
  if (/^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(found.key)) {
    throw fault("has a key that is protected by a password: write it without one (openssl pkey -in KEY -out NEW)");
  }
  const key = attempt(() => createPrivateKey(found.key));
  if (!key) throw fault("comes with a key that is not a private key in PEM form");
  if (!certificate.checkPrivateKey(key)) throw fault("and its key do not belong together");
  const until = certificate.validToDate.getTime();
  if (until < wall) {
    throw fault(`expired on ${day(until)}: get a new one, or correct this machine's clock (it shows ${day(wall)})`);
  }
}

function day(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
