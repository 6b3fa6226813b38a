import type { Clock } from "../platform/clock.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { findProgram, ProgramError } from "../platform/program.ts";
import type { Environment } from "../platform/proxy_settings.ts";
import { AccessError } from "./access.ts";
import type { ClientCertificate } from "./client_certificate.ts";
import type { ClusterEntry, ExecEntry } from "./kubeconfig.ts";

/** What a credential plugin has made: a token, a client certificate, or both. */
export interface ExecCredential {
  readonly token: string | undefined;
  readonly certificate: ClientCertificate | undefined;
  /** Milliseconds since the epoch; `Infinity` where the plugin sets no end. */
  readonly expires: number;
}

/** What a plugin is run for. */
export interface ExecRequest {
  readonly exec: ExecEntry;
  /** Name of the kubeconfig user. */
  readonly user: string;
  readonly cluster: ClusterEntry;
  /** PEM, of the cluster's certificate authority. */
  readonly ca: string | undefined;
}

/** What running a plugin uses of the world. */
export interface ExecDeps {
  /** The user's own variables. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Log;
  readonly os: typeof Deno.build.os;
  /** Whether a person sits at standard input, whom a plugin may ask something. */
  readonly interactive: boolean;
  /** Where a plugin's own words go: to the person. */
  readonly stderr: (bytes: Uint8Array) => void;
}

/** Some open a browser and wait for a person to log in. */
const runTimeout = 300_000;
/** After this a person is told what is being waited for. */
const notice = 5_000;
const outputLimit = 1024 * 1024;
const tailLimit = 2048;
const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/**
 * Runs a credential plugin by the protocol `client.authentication.k8s.io`, v1 or v1beta1: it is told what is wanted in
 * `KUBERNETES_EXEC_INFO` and prints an ExecCredential. What it says on stderr goes to the person. Rejects with an
 * {@linkcode AccessError} of kind `credentials`.
 */
export async function runExecPlugin(
  request: ExecRequest,
  deps: ExecDeps,
  signal: AbortSignal,
): Promise<ExecCredential> {
  const { exec } = request;
  const fault = (what: string) =>
    new AccessError("credentials", `The credential plugin "${exec.command}" of user "${request.user}" ${what}`);
  if (exec.command === "") {
    throw new AccessError("credentials", `User "${request.user}" has an exec section without a command`);
  }
  if (!versions.includes(exec.apiVersion)) {
    throw fault(`is set up with apiVersion "${exec.apiVersion}", which hawser does not know: use "${versions[0]}"`);
  }
  if (exec.interactiveMode === "Always" && !deps.interactive) {
    throw fault(
      "has to ask you something, but there is no terminal: run hawser in one, or log in with the plugin first",
    );
  }
  const stopNotice = deps.clock.after(notice, () => {
    deps.log.event(`Waiting for the credential plugin "${exec.command}" of user "${request.user}"`);
  });
  const late = () => fault(`did not finish within ${runTimeout / 60_000} minutes`);
  try {
    const output = await withDeadline(
      deps.clock,
      runTimeout,
      signal,
      late,
      (bounded) => run(request, deps, fault, bounded),
    );
    return parseCredential(output, exec.apiVersion, fault);
  } finally {
    stopNotice();
  }
}

type Fault = (what: string) => AccessError;

async function run(request: ExecRequest, deps: ExecDeps, fault: Fault, signal: AbortSignal): Promise<string> {
  const { exec } = request;
  const asks = deps.interactive && exec.interactiveMode !== "Never";
  const env = {
    ...definedOnly(deps.env),
    ...Object.fromEntries(exec.env.map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(request, asks)),
  };
  const child = await start(exec, env, asks, deps.os, fault);
  const said = new Tail();
  const output = new Output();
  const readers = [child.stdout.getReader(), child.stderr.getReader()] as const;
  const stop = () => {
    try {
      child.kill();
    } catch {
      // It has just ended by itself.
    }
    // What it started may live on and hold its ends of the pipes.
    for (const reader of readers) reader.cancel().catch(() => {});
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const [status] = await Promise.all([
      child.status,
      drain(readers[0], (bytes) => output.add(bytes) || stop()),
      drain(readers[1], (bytes) => {
        deps.stderr(bytes);
        said.add(bytes);
      }),
    ]);
    signal.throwIfAborted();
    if (output.tooLong) throw fault("printed more than any credential is long");
    if (!status.success) {
      const how = status.signal ? `was ended by ${status.signal}` : `failed with status ${status.code}`;
      const words = said.text();
      throw fault(`${how}${words === "" ? "" : `: ${words}`}`);
    }
    return output.text();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}

async function start(
  exec: ExecEntry,
  env: Record<string, string>,
  asks: boolean,
  os: typeof Deno.build.os,
  fault: Fault,
): Promise<Deno.ChildProcess> {
  try {
    const path = await findProgram(exec.command, { env, os });
    const stdin = asks ? "inherit" : "null";
    return new Deno.Command(path, {
      args: [...exec.args],
      env,
      clearEnv: true,
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    const hint = exec.installHint === "" ? "" : `\n${exec.installHint.trim()}`;
    if (error instanceof ProgramError && error.status === 127) {
      throw fault(`is not installed, or not on PATH: install it, or name it by its full path in the kubeconfig${hint}`);
    }
    throw fault(`cannot be started: ${error instanceof Error ? error.message : String(error)}${hint}`);
  }
}

/** https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ */
function execInfo({ exec, cluster, ca }: ExecRequest, interactive: boolean): unknown {
  const info = {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName || undefined,
    "insecure-skip-tls-verify": cluster.insecureSkipTlsVerify || undefined,
    "certificate-authority-data": ca === undefined ? undefined : base64(ca),
    "proxy-url": cluster.proxyUrl || undefined,
    config: cluster.execConfig ?? null,
  };
  const spec = { interactive, ...(exec.provideClusterInfo && { cluster: info }) };
  return { kind: "ExecCredential", apiVersion: exec.apiVersion, spec };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function parseCredential(output: string, apiVersion: string, fault: Fault): ExecCredential {
  let value: { kind?: unknown; apiVersion?: unknown; status?: Record<string, unknown> } | null;
  try {
    value = JSON.parse(output);
  } catch {
    // Its output may hold a token: none of it is shown.
    throw fault("printed something else than an ExecCredential: check its arguments in the kubeconfig");
  }
  if (value?.kind !== "ExecCredential") throw fault('printed something else than an ExecCredential ("kind")');
  if (value.apiVersion !== apiVersion) {
    throw fault(
      `answered in version ${JSON.stringify(value.apiVersion)}, but "${apiVersion}" is asked for in the kubeconfig`,
    );
  }
  const text = (name: string) => {
    const field = value.status?.[name];
    return typeof field === "string" && field !== "" ? field : undefined;
  };
  const token = text("token")?.trim();
  const chain = text("clientCertificateData");
  const key = text("clientKeyData");
  if ((chain === undefined) !== (key === undefined)) {
    throw fault("gave half a client certificate: certificate or key is missing");
  }
  if (token === undefined && chain === undefined) {
    throw fault("gave neither a token nor a client certificate: log in with it again");
  }
  const expires = Date.parse(text("expirationTimestamp") ?? "");
  return {
    token,
    certificate: chain !== undefined && key !== undefined ? { chain, key } : undefined,
    expires: Number.isNaN(expires) ? Infinity : expires,
  };
}

/** What a program prints, up to a limit. */
class Output {
  #text = "";
  readonly #decoder = new TextDecoder();

  /** False once it is too long. */
  add(bytes: Uint8Array): boolean {
    if (!this.tooLong) this.#text += this.#decoder.decode(bytes, { stream: true });
    return !this.tooLong;
  }

  get tooLong(): boolean {
    return this.#text.length > outputLimit;
  }

  text(): string {
    return this.#text;
  }
}

/** The last words of a program. */
class Tail {
  #text = "";
  readonly #decoder = new TextDecoder();

  add(bytes: Uint8Array): void {
    this.#text = (this.#text + this.#decoder.decode(bytes, { stream: true })).slice(-tailLimit);
  }

  /** On one line, without what would colour a terminal. */
  text(): string {
    // deno-lint-ignore no-control-regex
    const lines = this.#text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").split(/[\r\n]+/);
    return lines.map((line) => line.trim()).filter((line) => line !== "").slice(-5).join("; ");
  }
}

function definedOnly(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]));
}
