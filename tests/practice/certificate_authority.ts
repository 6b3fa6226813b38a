import { isIP } from "node:net";
import { der } from "./der.ts";

/** A certificate and its private key, both PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is to say. */
export interface Issue {
  readonly commonName: string;
  /** Kubernetes reads them as groups. */
  readonly organizations?: readonly string[];
  /** Names and addresses of a server; none for a client. */
  readonly names?: readonly string[];
  /** Makes it one of last year. */
  readonly expired?: boolean;
}

const day = 86_400_000;
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const ecdsaWithSha256 = der.sequence(der.oid("1.2.840.10045.4.3.2"));

/** A certificate authority that lives as long as a test: X.509 v3 (RFC 5280), ECDSA P-256. */
export class CertificateAuthority {
  /** Its own certificate, PEM. */
  readonly certificate: string;
  readonly #keys: CryptoKeyPair;
  readonly #name: Uint8Array;

  private constructor(certificate: string, keys: CryptoKeyPair, name: Uint8Array) {
    this.certificate = certificate;
    this.#keys = keys;
    this.#name = name;
  }

  static async create(commonName: string): Promise<CertificateAuthority> {
    const keys = await generateKeys();
    const name = distinguishedName(commonName, []);
    const extensions = [
      extension("2.5.29.19", true, der.sequence(der.boolean(true))),
      extension("2.5.29.15", true, der.bits(Uint8Array.of(0x06), 1)), // keyCertSign, cRLSign
    ];
    const certificate = await sign({
      issuer: name,
      subject: name,
      key: keys.publicKey,
      extensions,
      by: keys.privateKey,
    });
    return new CertificateAuthority(certificate, keys, name);
  }

  async issue(wanted: Issue): Promise<Issued> {
    const keys = await generateKeys();
    const server = wanted.names !== undefined;
    const extensions = [
      extension("2.5.29.15", true, der.bits(Uint8Array.of(0x80), 7)), // digitalSignature
      extension("2.5.29.37", false, der.sequence(der.oid(server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2"))),
    ];
    if (server) extensions.push(extension("2.5.29.17", false, der.sequence(...wanted.names!.map(generalName))));
    const certificate = await sign({
      issuer: this.#name,
      subject: distinguishedName(wanted.commonName, wanted.organizations ?? []),
      key: keys.publicKey,
      extensions,
      by: this.#keys.privateKey,
      until: wanted.expired ? Date.now() - 365 * day : undefined,
    });
    const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
    return { certificate, key: pem("PRIVATE KEY", key) };
  }
}

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
}

interface Unsigned {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly key: CryptoKey;
  readonly extensions: readonly Uint8Array[];
  readonly by: CryptoKey;
  /** End of validity, in milliseconds since the epoch; default tomorrow. */
  readonly until?: number;
}

async function sign(unsigned: Unsigned): Promise<string> {
  const until = unsigned.until ?? Date.now() + day;
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0]! &= 0x7f;
  const body = der.sequence(
    der.explicit(0, der.integer(Uint8Array.of(2))), // v3
    der.integer(serial),
    ecdsaWithSha256,
    unsigned.issuer,
    der.sequence(der.time(new Date(until - 2 * day)), der.time(new Date(until))),
    unsigned.subject,
    new Uint8Array(await crypto.subtle.exportKey("spki", unsigned.key)),
    der.explicit(3, der.sequence(...unsigned.extensions)),
  );
  // WebCrypto gives r and s side by side; X.509 wants them as a sequence.
  const pair = new Uint8Array(await crypto.subtle.sign(ecdsa, unsigned.by, body));
  const signature = der.sequence(der.integer(pair.subarray(0, 32)), der.integer(pair.subarray(32)));
  return pem("CERTIFICATE", der.sequence(body, ecdsaWithSha256, der.bits(signature)));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Uint8Array {
  const attribute = (type: string, value: string) => der.set(der.sequence(der.oid(type), der.utf8(value)));
  return der.sequence(...organizations.map((o) => attribute("2.5.4.10", o)), attribute("2.5.4.3", commonName));
}

function extension(type: string, critical: boolean, value: Uint8Array): Uint8Array {
  return der.sequence(der.oid(type), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}

function generalName(name: string): Uint8Array {
  if (isIP(name) === 4) return der.element(0x87, Uint8Array.from(name.split(".").map(Number)));
  if (name === "::1") return der.element(0x87, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
  return der.element(0x82, new TextEncoder().encode(name));
}

function pem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes)).replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}
