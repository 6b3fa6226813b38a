import { isIP } from "node:net";
import { didYouMean } from "../platform/nearest.ts";
import { UsageError } from "./usage_error.ts";

/** What a shell may offer for a value or a positional word; asked of the cluster or the disk when Tab is pressed. */
export type Completable =
  | "command"
  | "config"
  | "context"
  | "file"
  | "namespace"
  | "profile"
  | "service"
  | "session"
  | "target"
  | "workload";

/** A flag of the command line, which may also be given as a variable or a setting. `T` is what the command gets. */
export interface Flag<T = unknown> {
  readonly summary: string;
  /** The one-letter form, without its hyphen. */
  readonly short: string | undefined;
  /** What stands for the value in help (`PORT`); undefined for a switch. */
  readonly value: string | undefined;
  readonly choices: readonly string[];
  /** The value without the flag, as text for help; empty for none. */
  readonly standard: string;
  /** May be given several times; values may also be joined by commas. */
  readonly repeatable: boolean;
  readonly hidden: boolean;
  /** Whether `HAWSER_*` variables and the configuration file may hold it. */
  readonly setting: boolean;
  readonly complete: Completable | undefined;
  /**
   * What the texts mean, none where it was not given. `origin` says in messages where they came from (`--port`). Throws a
   * {@linkcode UsageError}.
   */
  read(texts: readonly string[], origin: string): T;
}

/** The flags of a command by their names without hyphens. */
export type Flags = Readonly<Record<string, Flag>>;

/** What most flags do without. */
export interface FlagExtra {
  readonly short?: string;
  readonly hidden?: boolean;
  readonly setting?: boolean;
  readonly complete?: Completable;
  /** What helps where a choice is none of those there are: a sentence without a period. */
  readonly otherwise?: string;
}

/** A kind of value: its name in help and how to read it. */
interface Kind<T> {
  readonly value: string;
  readonly choices?: readonly string[];
  read(text: string, origin: string): T;
}

function single<T, D extends T | undefined>(
  kind: Kind<T>,
  standard: D,
  summary: string,
  extra: FlagExtra,
): Flag<T | D> {
  return {
    ...common(summary, extra),
    value: kind.value,
    choices: kind.choices ?? [],
    standard: standard === undefined ? "" : String(standard),
    repeatable: false,
    read(texts, origin) {
      const text = texts.at(-1); // the last one wins, as everywhere
      return text === undefined ? standard : kind.read(filled(text, origin, kind.value), origin);
    },
  };
}

function several<T>(kind: Kind<T>, summary: string, extra: FlagExtra): Flag<readonly T[]> {
  return {
    ...common(summary, extra),
    value: kind.value,
    choices: kind.choices ?? [],
    standard: "",
    repeatable: true,
    read: (texts, origin) =>
      texts.flatMap((text) =>
        filled(text, origin, kind.value).split(",").map((part) =>
          kind.read(filled(part.trim(), origin, kind.value), origin)
        )
      ),
  };
}

function common(summary: string, extra: FlagExtra) {
  return {
    summary,
    short: extra.short,
    hidden: extra.hidden ?? false,
    setting: extra.setting ?? true,
    complete: extra.complete,
  };
}

function filled(text: string, origin: string, value: string): string {
  if (text === "") throw new UsageError(`${origin} needs a value: ${value}`);
  return text;
}

/** On or off; off unless given. */
export function toggle(summary: string, extra: FlagExtra = {}): Flag<boolean> {
  return {
    ...common(summary, extra),
    value: undefined,
    choices: ["true", "false"],
    standard: "",
    repeatable: false,
    read(texts, origin) {
      const text = texts.at(-1) ?? "false";
      if (text !== "true" && text !== "false") {
        throw new UsageError(`${origin} is on or off: "${text}" is neither true nor false`);
      }
      return text === "true";
    },
  };
}

/** Any text. */
export function text<D extends string | undefined>(
  value: string,
  standard: D,
  summary: string,
  extra: FlagExtra = {},
): Flag<string | D> {
  return single<string, D>({ value, read: (given) => given }, standard, summary, extra);
}

/** Any number of texts: given again and again, or joined by commas. */
export function texts(value: string, summary: string, extra: FlagExtra = {}): Flag<readonly string[]> {
  return several({ value, read: (given) => given }, summary, extra);
}

/** Any number of texts, one each time the flag is given: commas are part of them. */
export function eachText(value: string, summary: string, extra: FlagExtra = {}): Flag<readonly string[]> {
  const read = (given: readonly string[], origin: string) => given.map((each) => filled(each, origin, value));
  return { ...texts(value, summary, extra), read };
}

const labelForm = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"; // RFC 1123

const namespaceName: Kind<string> = {
  value: "NAME",
  read(given, origin) {
    if (new RegExp(`^${labelForm}$`).test(given)) return given;
    throw new UsageError(
      `${origin} must be the name of a namespace, of small letters, digits and "-", at most 63: "${given}" is not`,
    );
  },
};

/** The name of a namespace; undefined where none is given. */
export function namespace(summary: string, extra: FlagExtra = {}): Flag<string | undefined> {
  return single<string, undefined>(namespaceName, undefined, summary, { complete: "namespace", ...extra });
}

/** Names of namespaces, as {@linkcode texts}. */
export function namespaces(summary: string, extra: FlagExtra = {}): Flag<readonly string[]> {
  return several({ ...namespaceName, value: "NAME,…" }, summary, { complete: "namespace", ...extra });
}

/** A DNS domain, in small letters and without the dot at its end. */
export function domain(summary: string, extra: FlagExtra = {}): Flag<string | undefined> {
  const form = new RegExp(`^${labelForm}(\\.${labelForm})*$`);
  return single<string, undefined>(
    {
      value: "NAME",
      read(given, origin) {
        const name = given.replace(/\.$/, "").toLowerCase();
        if (name.length < 254 && form.test(name)) return name;
        throw new UsageError(`${origin} must be a DNS domain, as in cluster.local: "${given}" is not`);
      },
    },
    undefined,
    summary,
    extra,
  );
}

/** A port to listen on; 0 stands for any free one. */
export function listenPort(summary: string, extra: FlagExtra = {}): Flag<number | undefined> {
  const read = (given: string, origin: string) => given === "0" ? 0 : readPort(given, origin, "0 (any free one)");
  return single<number, undefined>({ value: "PORT", read }, undefined, summary, extra);
}

/** One of a few words. */
export function choice<const C extends string, D extends C | undefined>(
  choices: readonly C[],
  standard: D,
  summary: string,
  extra: FlagExtra = {},
): Flag<C | D> {
  return single<C, D>(
    {
      value: choices.join("|"),
      choices,
      read(given, origin) {
        const found = choices.find((each) => each === given);
        if (found === undefined) {
          throw new UsageError(
            `${origin} must be ${alternatives(choices)}: "${given}" is none of them.${didYouMean(given, choices)}${
              extra.otherwise === undefined ? "" : ` ${extra.otherwise}`
            }`,
          );
        }
        return found;
      },
    },
    standard,
    summary,
    extra,
  );
}

/** A loopback address: 127.x.y.z, ::1 or localhost. */
export function loopback(standard: string, summary: string, extra: FlagExtra = {}): Flag<string> {
  return single(
    {
      value: "ADDRESS",
      read(given, origin) {
        if (given === "localhost") return "127.0.0.1";
        if (given === "::1" || isIP(given) === 4 && given.startsWith("127.")) return given;
        throw new UsageError(
          `${origin} must be an address of this machine alone (127.0.0.1, another 127.x.y.z, or ::1): "${given}" is not, and hawser never opens the cluster to the network`,
        );
      },
    },
    standard,
    summary,
    extra,
  );
}

/** A port from 1 to 65535 in decimal digits. Throws a {@linkcode UsageError}, which says `from` where more is allowed than that. */
export function readPort(given: string, origin: string, from = "1"): number {
  const number = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (number < 1 || number > 65535) {
    throw new UsageError(`${origin} must be a port from ${from} to 65535: "${given}" is not`);
  }
  return number;
}

/** `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
