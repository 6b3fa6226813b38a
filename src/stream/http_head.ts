/** Header fields in their order and spelling. */
export type HeaderList = Array<[name: string, value: string]>;

/** The head of an HTTP/1 request. */
export interface RequestHead {
  method: string;
  /** As it stands in the request line: absolute form, origin form, authority or `*`. */
  target: string;
  /** 0 or 1, of HTTP/1.x. */
  minor: number;
  headers: HeaderList;
}

/** The head of an HTTP/1 response. */
export interface ResponseHead {
  minor: number;
  status: number;
  reason: string;
  headers: HeaderList;
}

/** A head that is not HTTP/1 as RFC 9112 has it; the message says what is wrong with it. */
export class HeadError extends Error {
  override readonly name = "HeadError";
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 §5.5: visible characters, space and tab; bytes over 127 are kept as they are (ISO-8859-1). What else there is may end a line elsewhere. */
const forbidden = /[^\t\x20-\x7e\x80-\xff]/;

/** Parses the bytes of a request head, its empty line included (RFC 9112 §3). Throws {@linkcode HeadError}. */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const [first, headers] = split(bytes);
  const match = /^([^ \t]+) ([^ \t]+) HTTP\/1\.([0-9])$/.exec(first);
  if (!match) throw new HeadError(`Not an HTTP/1 request line: ${quote(first)}`);
  const [, method = "", target = "", minor] = match;
  if (!token.test(method)) throw new HeadError(`Not an HTTP method: ${quote(method)}`);
  return { method, target, minor: Math.min(1, Number(minor)), headers };
}

/** Parses the bytes of a response head, its empty line included (RFC 9112 §4). Throws {@linkcode HeadError}. */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const [first, headers] = split(bytes);
  const match = /^HTTP\/1\.([0-9]) ([1-9][0-9][0-9])(?: (.*))?$/.exec(first);
  if (!match) throw new HeadError(`Not an HTTP/1 status line: ${quote(first)}`);
  return { minor: Math.min(1, Number(match[1])), status: Number(match[2]), reason: match[3] ?? "", headers };
}

/** All values of a field joined by `, ` (RFC 9110 §5.3), undefined where it is absent; the name in any case. */
export function header(headers: Readonly<HeaderList>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  let found: string | undefined;
  for (const [each, value] of headers) {
    if (each.length !== wanted.length || each.toLowerCase() !== wanted) continue;
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/** True where the comma-separated list of a field has the member, in any case: `Connection: keep-alive, Upgrade`. */
export function hasMember(headers: Readonly<HeaderList>, name: string, member: string): boolean {
  const list = header(headers, name);
  return list !== undefined && list.split(",").some((each) => each.trim().toLowerCase() === member);
}

/** The bytes of a request head, its empty line included. Throws {@linkcode HeadError} on what would not come back as it went in. */
export function formatRequestHead(head: RequestHead): Uint8Array {
  return format(`${head.method} ${head.target} HTTP/1.${head.minor}`, head.headers);
}

/** The bytes of a response head, its empty line included. Throws as `formatRequestHead` does. */
export function formatResponseHead(head: ResponseHead): Uint8Array {
  return format(`HTTP/1.${head.minor} ${head.status} ${head.reason}`, head.headers);
}

function split(bytes: Uint8Array): [string, HeaderList] {
  const lines = latin1(bytes).split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  const [first = ""] = lines;
  if (forbidden.test(first)) throw new HeadError(`Control characters in ${quote(first)}`);
  const headers: HeaderList = [];
  for (const line of lines.slice(1)) {
    if (line === "") break;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      throw new HeadError("Folded header lines are not HTTP any more (RFC 9112 §5.2)");
    }
    headers.push(parseField(line));
  }
  return [first, headers];
}

/** Parses a header or trailer line without its line end (RFC 9112 §5). Throws {@linkcode HeadError}. */
export function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon));
  if (!token.test(name)) throw new HeadError(`Not a header line: ${quote(line)}`);
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
  if (forbidden.test(value)) throw new HeadError(`Control characters in header "${name}"`);
  return [name, value];
}

/** The bytes that end a chunked body, trailers included (RFC 9112 §7.1). Throws as `formatRequestHead` does. */
export function formatLastChunk(trailers: Readonly<HeaderList>): Uint8Array {
  return format("0", trailers);
}

function format(first: string, headers: Readonly<HeaderList>): Uint8Array {
  let text = "";
  for (const line of [first, ...headers.map(([name, value]) => `${name}: ${value}`)]) {
    if (forbidden.test(line)) {
      throw new HeadError("A head cannot hold line ends, control characters, or text beyond ISO-8859-1");
    }
    text += line + "\r\n";
  }
  text += "\r\n";
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Header bytes as text: one byte, one character. (TextDecoder's "latin1" is windows-1252, which is not that.) */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? text.slice(0, 60) + "…" : text);
}
