import { type Access, AccessError } from "../../cluster/access.ts";
import type { Clock } from "../../platform/clock.ts";
import { BufferedReader } from "../../stream/buffered_reader.ts";
import { openBody, responseFraming } from "../../stream/http_body.ts";
import { formatRequestHead, header, parseResponseHead } from "../../stream/http_head.ts";
import { fail, failed, type Finding, ok, warn } from "./finding.ts";

/** A clock this much off makes certificates and tokens fail in odd ways, in milliseconds. */
const tolerable = 60_000;

const subjects: Readonly<Record<AccessError["kind"], string>> = {
  kubeconfig: "kubeconfig",
  credentials: "credentials",
  unreachable: "network",
  tls: "TLS",
  proxy: "proxy",
  timeout: "network",
};

/** Whether the API server can be reached, proves who it is, knows us, and has the same time. One request, made by hand to see its head. */
export async function checkServer(access: Access, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  const began = clock.now();
  try {
    const credentials = await access.headers(signal);
    const stream = await access.connect(signal);
    const abort = () => stream.reset();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const connected = clock.now();
      const path = `${access.server.pathname.replace(/\/$/, "")}/version`;
      await stream.write(formatRequestHead({
        method: "GET",
        target: path,
        minor: 1,
        headers: [
          ["Host", access.server.host],
          ["Connection", "close"],
          ...credentials.map(([name, value]): [string, string] => [name, value]),
        ],
      }));
      const reader = new BufferedReader(stream);
      const bytes = await reader.head(16 * 1024);
      if (!bytes) return [fail("server", `${access.server.host} closed the connection without an answer`)];
      const head = parseResponseHead(bytes);
      const answered = clock.now();
      const text = await body(openBody(reader, responseFraming(head, "GET")));
      return [
        ok(
          access.server.protocol === "https:" ? "network and TLS" : "network",
          `${access.server.host} in ${Math.round(connected - began)} ms`,
        ),
        checkAnswer(head.status, text, answered - connected),
        ...checkClock(header(head.headers, "date"), clock.wall()),
      ];
    } finally {
      signal.removeEventListener("abort", abort);
      stream.close();
    }
  } catch (error) {
    return [failed(error instanceof AccessError ? subjects[error.kind] : "network", error)];
  }
}

function checkAnswer(status: number, text: string, milliseconds: number): Finding {
  if (status === 401) {
    return fail(
      "credentials",
      "the API server does not know you (401)",
      "log in again, or renew the token of this context",
    );
  }
  if (status === 403) return warn("server version", "hidden from you (403); that alone does no harm");
  const version = /"gitVersion":\s*"([^"]{1,40})"/.exec(text)?.[1];
  if (status !== 200 || version === undefined) {
    return fail(
      "server",
      `HTTP ${status} instead of a version`,
      "is this really a Kubernetes API server, or a login page before it?",
    );
  }
  const minor = Number(/^v1\.(\d+)/.exec(version)?.[1] ?? NaN);
  const what = `Kubernetes ${version}, answers in ${Math.round(milliseconds)} ms`;
  return minor < 21
    ? warn("server version", `${what}; older than 1.21, so services are read from Endpoints`)
    : ok("server version", what);
}

function checkClock(date: string | undefined, now: number): Finding[] {
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs)) return [];
  const skew = now - theirs; // the header has whole seconds
  if (Math.abs(skew) <= tolerable) return [ok("clock", "agrees with the server's")];
  const seconds = Math.round(Math.abs(skew) / 1000);
  return [
    warn(
      "clock",
      `this machine's is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} the server's`,
      "set it: certificates and tokens depend on it",
    ),
  ];
}

async function body(source: { read(into: Uint8Array): Promise<number | null> }): Promise<string> {
  const buffer = new Uint8Array(16 * 1024);
  let length = 0;
  while (length < buffer.length) {
    const count = await source.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
  }
  return new TextDecoder().decode(buffer.subarray(0, length));
}
