import { dirname, isAbsolute, join } from "node:path";
import { AccessError } from "./access.ts";
import type { ClusterEntry, ContextEntry, ExecEntry, Kubeconfig, Material, UserEntry } from "./kubeconfig.ts";

/**
 * Parses one kubeconfig, YAML or JSON, as `kubectl` does: unknown fields are passed over, missing ones are no error before they are
 * needed, wrong types are. Relative paths are taken from the folder of `file`. An empty text is an empty configuration. Rejects with
 * an {@linkcode AccessError} that names the file and the line or field.
 */
export async function parseKubeconfig(text: string, file: string): Promise<Kubeconfig> {
  const config = new Fields(await parseYaml(text, file), file, "");
  const kind = config.text("kind") || "Config";
  if (kind !== "Config") throw fault(file, `it holds a ${JSON.stringify(kind)}, not a kubeconfig ("kind: Config")`);
  const folder = dirname(file);
  return {
    files: [file],
    currentContext: config.text("current-context"),
    contexts: named(config.list("contexts"), "context", parseContext),
    clusters: named(config.list("clusters"), "cluster", (name, fields) => parseCluster(name, fields, folder)),
    users: named(config.list("users"), "user", (name, fields) => parseUser(name, fields, folder)),
  };
}

/** Empty, or nothing but comments: the loader takes that for a fault, kubectl for an empty configuration. */
function isBlank(text: string): boolean {
  return text.split("\n").map((line) => line.trim()).every((line) =>
    line === "" || line === "---" || line.startsWith("#")
  );
}

async function parseYaml(text: string, file: string): Promise<Record<string, unknown>> {
  if (isBlank(text)) return {};
  // The module alone, not the package: that would load a thousand files for this one function (0.2 s and 40 MB when bundled).
  const { loadYaml } = await import("@kubernetes/client-node/dist/yaml.js");
  let value: unknown;
  try {
    value = loadYaml<unknown>(text);
  } catch (error) {
    throw fault(file, describeYamlError(error));
  }
  if (!isRecord(value)) {
    throw fault(file, "it is not a kubeconfig: there are no fields such as clusters, users and contexts in it");
  }
  return value;
}

/** Position and reason only: the loader's own message quotes the lines around, which may hold a token. */
function describeYamlError(error: unknown): string {
  const [, reason, line, column] = /^([^\n]*?) \((\d+):(\d+)\)/.exec(error instanceof Error ? error.message : "") ?? [];
  return line ? `line ${line}, column ${column}: ${reason}` : "it is not YAML";
}

function fault(file: string, what: string): AccessError {
  return new AccessError("kubeconfig", `The kubeconfig "${file}" cannot be read: ${what}`);
}

function named<T>(
  entries: readonly Fields[],
  body: string,
  parse: (name: string, fields: Fields) => T,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const entry of entries) {
    const name = entry.text("name");
    if (found.has(name)) continue;
    found.set(name, parse(name, entry.object(body)));
  }
  return found;
}

function parseContext(name: string, fields: Fields): ContextEntry {
  return { name, cluster: fields.text("cluster"), user: fields.text("user"), namespace: fields.text("namespace") };
}

function parseCluster(name: string, fields: Fields, folder: string): ClusterEntry {
  return {
    name,
    server: fields.text("server"),
    certificateAuthority: material(fields, "certificate-authority", folder),
    insecureSkipTlsVerify: fields.flag("insecure-skip-tls-verify"),
    tlsServerName: fields.text("tls-server-name"),
    proxyUrl: fields.text("proxy-url"),
    execConfig: fields.list("extensions").find((each) => each.text("name") === execExtension)?.raw("extension"),
  };
}

const execExtension = "client.authentication.k8s.io/exec";

function parseUser(name: string, fields: Fields, folder: string): UserEntry {
  const provider = fields.object("auth-provider");
  return {
    name,
    clientCertificate: material(fields, "client-certificate", folder),
    clientKey: material(fields, "client-key", folder),
    token: fields.text("token"),
    tokenFile: absolute(fields.text("tokenFile"), folder),
    username: fields.text("username"),
    password: fields.text("password"),
    exec: fields.has("exec") ? parseExec(fields.object("exec"), folder) : undefined,
    authProvider: fields.has("auth-provider")
      ? { name: provider.text("name"), config: provider.object("config").allTexts() }
      : undefined,
    impersonate: {
      user: fields.text("as"),
      uid: fields.text("as-uid"),
      groups: fields.texts("as-groups"),
      extra: fields.object("as-user-extra").allTextLists(),
    },
  };
}

function parseExec(fields: Fields, folder: string): ExecEntry {
  const command = fields.text("command");
  const mode = fields.text("interactiveMode");
  return {
    apiVersion: fields.text("apiVersion"),
    // As kubectl: only a command with a separator is a path, the rest is looked up on PATH.
    command: /[/\\]/.test(command) ? absolute(command, folder) : command,
    args: fields.texts("args"),
    env: fields.list("env").map((entry) => ({ name: entry.text("name"), value: entry.text("value") })),
    installHint: fields.text("installHint"),
    provideClusterInfo: fields.flag("provideClusterInfo"),
    interactiveMode: mode === "Never" || mode === "Always" ? mode : "IfAvailable",
  };
}

/** Data wins over the file, as in kubectl. */
function material(fields: Fields, name: string, folder: string): Material | undefined {
  const base64 = fields.text(`${name}-data`);
  if (base64 !== "") return { kind: "data", base64 };
  const path = absolute(fields.text(name), folder);
  return path === "" ? undefined : { kind: "file", path };
}

function absolute(path: string, folder: string): string {
  return path === "" || isAbsolute(path) ? path : join(folder, path);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of one YAML mapping, taken out by the type they must have. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #file: string;
  readonly #path: string;

  constructor(values: Readonly<Record<string, unknown>>, file: string, path: string) {
    this.#values = values;
    this.#file = file;
    this.#path = path;
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /** Whatever is there. */
  raw(name: string): unknown {
    return this.#get(name);
  }

  /** Empty where absent. */
  text(name: string): string {
    const value = this.#get(name) ?? "";
    if (typeof value !== "string") throw this.#wrong(name, "text: put it in quotes");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#get(name) ?? false;
    if (typeof value !== "boolean") throw this.#wrong(name, "true or false");
    return value;
  }

  texts(name: string): readonly string[] {
    const values = this.#array(name);
    if (!values.every((value) => typeof value === "string")) throw this.#wrong(name, "a list of texts");
    return values;
  }

  list(name: string): readonly Fields[] {
    return this.#array(name).map((value, index) => {
      const path = `${name}[${index}]`;
      if (!isRecord(value)) throw this.#wrong(path, "a group of fields");
      return new Fields(value, this.#file, this.#join(path));
    });
  }

  /** Without fields where absent. */
  object(name: string): Fields {
    const value = this.#get(name) ?? {};
    if (!isRecord(value)) throw this.#wrong(name, "a group of fields");
    return new Fields(value, this.#file, this.#join(name));
  }

  allTexts(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.keys(this.#values).map((name) => [name, this.text(name)]));
  }

  allTextLists(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(Object.keys(this.#values).map((name) => [name, this.texts(name)]));
  }

  #get(name: string): unknown {
    return (Object.hasOwn(this.#values, name) ? this.#values[name] : undefined) ?? undefined;
  }

  #array(name: string): readonly unknown[] {
    const value = this.#get(name) ?? [];
    if (!Array.isArray(value)) throw this.#wrong(name, "a list");
    return value;
  }

  #join(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  #wrong(name: string, wanted: string): AccessError {
    return fault(this.#file, `${this.#join(name)} must be ${wanted}`);
  }
}
