import type { Environment } from "../platform/proxy_settings.ts";
import { type ExtendedList, takeBack } from "./take_back.ts";

/** Where the front door is. */
export interface ProxyAddress {
  readonly port: number;
  /** What it asks for, if it asks. Letters and digits only. */
  readonly auth: { readonly username: string; readonly password: string } | undefined;
}

/**
 * Carries what the user had before, so that it can be put back: base64url of a JSON object of variables, null where there was none. Of lists that
 * are only added to, it holds `{ former, set }`, so that what users add meanwhile stays theirs.
 */
const formerName = "HAWSER_FORMER_ENV";
const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] as const;
const loopbackHosts = ["localhost", "127.0.0.1", "::1"] as const;

/**
 * The variables by which programs find the proxy, as every runtime understands them: `http://` URLs even for `ALL_PROXY`, since a socks
 * URL there breaks httpx, requests, Node and axios; both spellings, since curl and wget want lower case, others upper; one on
 * Windows, where they are the same variable.
 */
export function programVariables(
  proxy: ProxyAddress,
  env: Environment,
  os: typeof Deno.build.os,
): Record<string, string> {
  const login = proxy.auth ? `${proxy.auth.username}:${proxy.auth.password}@` : "";
  const url = `http://${login}127.0.0.1:${proxy.port}`;
  const variables: Record<string, string> = { NODE_USE_ENV_PROXY: "1" };
  for (const name of proxyNames) variables[name] = url;
  const own = withSpelling(env, ["NO_PROXY", "no_proxy"], os);
  variables.NO_PROXY = noProxy(own.NO_PROXY ?? own.no_proxy ?? "");
  if (os !== "windows") {
    for (const name of [...proxyNames, "NO_PROXY"]) variables[name.toLowerCase()] = variables[name]!;
  }
  return variables;
}

/** The same variables, with one beside them by which {@linkcode unwired} puts back what `env` had. */
export function withFormer(
  variables: Readonly<Record<string, string>>,
  env: Environment,
  os: typeof Deno.build.os,
): Record<string, string> {
  const names = Object.keys(variables);
  const own = withSpelling(env, names, os);
  const former = Object.entries(variables).map(([name, set]) => {
    const before = own[name] ?? null;
    return [name, separatorOf(name, os) === undefined ? before : { former: before, set }] as const;
  });
  return { ...variables, [formerName]: encode(Object.fromEntries(former)) };
}

/** The variables of {@linkcode withFormer} for files, which others may come to see: without the user's own values, a proxy's password among them. */
export function withoutFormer(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => name !== formerName));
}

/** An environment with variables set in it, whichever way Windows spells them. */
export function withVariables(
  env: Environment,
  variables: Readonly<Record<string, string>>,
  os: typeof Deno.build.os,
): Record<string, string> {
  const wanted = new Set(Object.keys(variables).map((name) => canonical(name, os)));
  const kept = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || wanted.has(canonical(name, os)) ? [] : [[name, value] as const]
  );
  return { ...Object.fromEntries(kept), ...variables };
}

/** What undoes {@linkcode withFormer} where it holds: the former value of each variable, undefined where there was none. Empty where nothing is wired. */
export function formerVariables(env: Environment, os: typeof Deno.build.os): ReadonlyMap<string, string | undefined> {
  const encoded = env[formerName];
  if (encoded === undefined) return new Map();
  const former = decode(encoded);
  const names = [...wiredNames(os), ...Object.keys(former), formerName];
  const present = withSpelling(env, names, os);
  return new Map(names.map((name) => {
    const value = former[name] ?? undefined;
    if (typeof value !== "object") return [name, value];
    const separator = separatorOf(name, os) ?? " ";
    const rest = present[name] === undefined ? value.former : takeBack(present[name], value, separator);
    return [name, rest ?? undefined];
  }));
}

/** The environment as the user had it before `hawser env` or `hawser run` changed it. */
export function unwired(env: Environment, os: typeof Deno.build.os): Environment {
  const former = formerVariables(env, os);
  if (former.size === 0) return env;
  const back = [...former].flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const]);
  const ours = new Set([...former.keys()].map((name) => canonical(name, os)));
  const kept = Object.entries(env).filter(([name]) => !ours.has(canonical(name, os)));
  return Object.fromEntries([...kept, ...back]);
}

/** What separates the items of the variables that are lists; undefined for the others. */
function separatorOf(name: string, os: typeof Deno.build.os): string | undefined {
  if (name === "PYTHONPATH") return os === "windows" ? ";" : ":";
  return name === "JAVA_TOOL_OPTIONS" || name === "NODE_OPTIONS" ? " " : undefined;
}

function wiredNames(os: typeof Deno.build.os): string[] {
  const names = [...proxyNames, "NO_PROXY"];
  return ["NODE_USE_ENV_PROXY", ...names, ...os === "windows" ? [] : names.map((name) => name.toLowerCase())];
}

/** The values that `env` has for these variables, by the names given here, whichever way Windows spells them. */
function withSpelling(env: Environment, names: readonly string[], os: typeof Deno.build.os): Record<string, string> {
  const wanted = new Map(names.map((name) => [canonical(name, os), name]));
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      const known = wanted.get(canonical(name, os));
      return known === undefined || value === undefined ? [] : [[known, value]];
    }),
  );
}

function canonical(name: string, os: typeof Deno.build.os): string {
  return os === "windows" ? name.toUpperCase() : name;
}

/**
 * Loopback, and the user's own host names. Their address ranges and cluster names are left out, because pods may be among them; nothing is
 * lost by it, since the proxy itself keeps to the user's list for all that is not the cluster's. So are entries with characters
 * that fabric8's Kubernetes client refuses.
 */
function noProxy(own: string): string {
  const kept = own.split(/[\s,]+/).filter((entry) =>
    /^[A-Za-z0-9.:-]+$/.test(entry) && !/(^|\.)(svc|cluster\.local|local)\.?$/i.test(entry)
  );
  return [...new Set([...loopbackHosts, ...kept])].join(",");
}

type Former = Readonly<Record<string, string | null | ExtendedList>>;

/** Base64url, which no shell has to quote. */
function encode(variables: Former): string {
  return new TextEncoder().encode(JSON.stringify(variables)).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decode(text: string): Former {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" })));
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, held]) => isText(held) || isExtendedList(held)));
  } catch {
    return {}; // somebody else's variable: nothing to restore from it
  }
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isExtendedList(value: unknown): value is ExtendedList {
  return typeof value === "object" && value !== null && "set" in value && typeof value.set === "string" &&
    "former" in value && isText(value.former);
}
