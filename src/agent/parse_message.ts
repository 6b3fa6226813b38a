import type {
  AgentConfig,
  AgentPort,
  ControlRequest,
  DialRequest,
  Hello,
  Match,
  Rule,
  StreamAnswer,
} from "./protocol.ts";

/** A message that is not as the protocol has it. */
export class MessageError extends Error {
  override readonly name = "MessageError";
}

type Fields = Readonly<Record<string, unknown>>;

/** Bounds of what a laptop may ask for. */
const ruleLimit = 256;
const matchLimit = 16;
const textLimit = 1024;

/** Reads a laptop's first line. Throws {@linkcode MessageError}. */
export function parseHello(value: unknown): Hello {
  const { hawser, token, owner } = fields(value, "hello");
  const { lowest, highest } = fields(hawser, "hawser");
  const { id, name } = fields(owner, "owner");
  return {
    hawser: { lowest: whole(lowest, "lowest"), highest: whole(highest, "highest") },
    token: text(token, "token"),
    owner: { id: text(id, "id"), name: text(name, "name") },
  };
}

/** Reads a line of the control stream. Throws {@linkcode MessageError}. */
export function parseControlRequest(value: unknown): ControlRequest {
  const request = fields(value, "request");
  const seq = whole(request["seq"], "seq");
  switch (request["type"]) {
    case "rules":
      return {
        seq,
        type: "rules",
        rules: list(request["rules"], ruleLimit, "rules").map(parseRule),
        observe: request["observe"] === true,
      };
    case "owners":
      return { seq, type: "owners" };
    case "drain":
      return { seq, type: "drain", ms: Math.min(whole(request["ms"], "ms"), 60_000) };
    default:
      throw new MessageError(`A request of type ${JSON.stringify(request["type"])} is not known`);
  }
}

/** Reads the first line of a stream that a laptop opened. Throws {@linkcode MessageError}. */
export function parseDialRequest(value: unknown): DialRequest {
  const { network, host, port, early } = fields(value, "request");
  return {
    network: oneOf(network, ["tcp", "udp"], "network"),
    host: text(host, "host"),
    port: portNumber(port),
    early: early === true,
  };
}

/** Reads what a laptop answers to a delivery. Throws {@linkcode MessageError}. */
export function parseStreamAnswer(value: unknown): StreamAnswer {
  const answer = fields(value, "answer");
  if (answer["ok"] === true) return { ok: true };
  const kinds = ["refused", "unknown", "unreachable", "timeout", "forbidden", "unsupported"] as const;
  return { ok: false, kind: oneOf(answer["kind"], kinds, "kind"), error: text(answer["error"], "error") };
}

/** Reads the agent's configuration. Throws {@linkcode MessageError}. */
export function parseConfig(value: unknown): AgentConfig {
  const config = fields(value, "configuration");
  const { address, ready } = config;
  return {
    ...(address === undefined ? {} : { address: text(address, "address") }),
    linkPort: portNumber(config["linkPort"]),
    tokenFile: text(config["tokenFile"], "tokenFile"),
    ports: list(config["ports"], 1024, "ports").map(parsePort),
    healthPort: portNumber(config["healthPort"]),
    service: text(config["service"], "service"),
    ...(ready === undefined ? {} : { ready: oneOf(ready, ["linked", "while-linked"] as const, "ready") }),
  };
}

function parsePort(value: unknown): AgentPort {
  const { port, origin, nobody } = fields(value, "port");
  const alone = nobody === undefined ? {} : { nobody: text(nobody, "nobody") };
  if (origin === undefined) return { port: portNumber(port), ...alone };
  const { host, port: originPort } = fields(origin, "origin");
  return { port: portNumber(port), origin: { host: text(host, "host"), port: portNumber(originPort) } };
}

function parseRule(value: unknown): Rule {
  const { id, port, match, fallback } = fields(value, "rule");
  return {
    id: text(id, "id"),
    port: portNumber(port),
    match: list(match, matchLimit, "match").map(parseMatch),
    fallback: oneOf(fallback, ["origin", "error"], "fallback"),
  };
}

function parseMatch(value: unknown): Match {
  const match = fields(value, "match");
  const kind = oneOf(match["kind"], ["header", "cookie", "query", "path"], "kind");
  const name = text(match["name"], "name");
  return {
    kind,
    name: kind === "header" ? name.toLowerCase() : name,
    how: oneOf(match["how"], ["equals", "prefix", "regex"], "how"),
    value: text(match["value"], "value"),
  };
}

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new MessageError(`No ${what}`);
  return value as Fields; // every object can be asked for any field
}

function list(value: unknown, limit: number, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new MessageError(`"${what}" is not a list`);
  if (value.length > limit) throw new MessageError(`"${what}" has more than ${limit} entries`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new MessageError(`"${what}" is not a text`);
  if (value.length > textLimit) throw new MessageError(`"${what}" has more than ${textLimit} characters`);
  return value;
}

function whole(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw new MessageError(`"${what}" is not a whole number`);
  return Number(value);
}

function portNumber(value: unknown): number {
  const port = whole(value, "port");
  if (port > 65535) throw new MessageError(`${port} is not a port`);
  return port;
}

function oneOf<T extends string>(value: unknown, known: readonly T[], what: string): T {
  const found = known.find((each) => each === value);
  if (found === undefined) {
    throw new MessageError(`"${what}" is ${JSON.stringify(value)}, not one of ${known.join(", ")}`);
  }
  return found;
}
