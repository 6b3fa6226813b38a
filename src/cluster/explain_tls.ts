import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Duplex } from "../stream/duplex.ts";
import { openTls } from "../stream/tls_stream.ts";
import { AccessError } from "./access.ts";
import type { ServerRoute } from "./connect_server.ts";

/**
 * Says why a TLS handshake failed. The two TLS libraries at work differ in what they tell, and neither names the issuer, so the server is
 * asked for its certificate once more, over a connection from `connect` that carries nothing else.
 */
export async function explainTls(
  error: unknown,
  route: ServerRoute,
  connect: () => Promise<Duplex>,
  clock: Clock,
  signal: AbortSignal,
): Promise<AccessError> {
  const message = error instanceof Error ? error.message : String(error);
  const tls = (what: string) =>
    new AccessError("tls", `The API server "${route.server.origin}" ${what}`, { cause: error });
  if (/alert: (Certificate|BadCertificate|UnknownCA|AccessDenied|UnsupportedCertificate)/.test(message)) {
    const alert = message.replace(/^.*alert: /s, "");
    return tls(
      `does not accept the client certificate, or asks for one that the kubeconfig does not have (TLS alert ${alert})`,
    );
  }
  if (message.includes("InvalidContentType")) {
    return tls("does not speak TLS: either it is meant to be reached by http:, or something in between answers");
  }
  if (!isAboutCertificate(error, message)) return tls(`and this machine could not agree on TLS: ${message}`);
  const late = () => new Error("no certificate in time");
  try {
    const certificate = await withDeadline(
      clock,
      5000,
      signal,
      late,
      (bounded) => fetchCertificate(route, connect, bounded),
    );
    if (certificate) return tls(judge(certificate, route, clock.wall()));
  } catch {
    signal.throwIfAborted();
  }
  return tls(`shows a certificate that cannot be trusted: ${message}`);
}

function isAboutCertificate(error: unknown, message: string): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return message.includes("invalid peer certificate") || /CERT|UNABLE_TO_|SIGNATURE/.test(code);
}

async function fetchCertificate(
  route: ServerRoute,
  connect: () => Promise<Duplex>,
  signal: AbortSignal,
): Promise<X509Certificate | undefined> {
  const options = { host: route.tlsName, ca: undefined, certificate: undefined, skipVerify: true };
  const stream = await openTls(await connect(), options, signal);
  const certificate = stream.serverCertificate;
  stream.close();
  return certificate;
}

/** What is wrong with a certificate that was refused, as the rest of a sentence. */
function judge(certificate: X509Certificate, route: ServerRoute, wall: number): string {
  const day = (date: Date | number) => new Date(date).toISOString().slice(0, 10);
  if (certificate.validToDate.getTime() < wall) {
    return `shows a certificate that expired on ${
      day(certificate.validToDate)
    }: ask for it to be renewed, or correct this machine's clock (it shows ${day(wall)})`;
  }
  if (certificate.validFromDate.getTime() > wall) {
    return `shows a certificate that is valid from ${
      day(certificate.validFromDate)
    } only: correct this machine's clock (it shows ${day(wall)})`;
  }
  const host = route.tlsName;
  if (!(isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host))) {
    const names = (certificate.subjectAltName ?? "").replaceAll("IP Address:", "").replaceAll("DNS:", "");
    if (names === "") {
      return "shows a certificate without subject alternative names, which is not accepted any more: ask for a new one";
    }
    return `shows a certificate for ${names}, not for "${host}": put one of these into the server URL, or as tls-server-name, in the kubeconfig`;
  }
  const issuer = certificate.issuer.replaceAll("\n", ", ");
  if (route.ca !== undefined) {
    return `shows a certificate issued by "${issuer}", which is not the authority trusted for it (${route.caSource}): the cluster may have been made anew, or a company proxy opens TLS; get a new kubeconfig, or that proxy's certificate as certificate-authority`;
  }
  return `shows a certificate issued by "${issuer}", which this machine does not trust: add certificate-authority to the kubeconfig, or set DENO_TLS_CA_STORE=system if a company proxy's authority is installed in this system`;
}
