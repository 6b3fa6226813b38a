import { join } from "node:path";
import { Failure } from "../platform/failure.ts";
import { readFileIfAny, writePrivateFile } from "../platform/private_file.ts";
import type { Environment } from "../platform/proxy_settings.ts";
import type { Command, GivenValue, GivenValues } from "./command.ts";
import type { Flag, Flags } from "./flag.ts";
import { globalFlags } from "./global_flags.ts";
import { didYouMean } from "../platform/nearest.ts";
import { UsageError } from "./usage_error.ts";

/** The values of one section of the file; a switch is a boolean, a repeatable flag a list. */
export type Section = Readonly<Record<string, string | boolean | readonly string[]>>;

/** The name of the section that holds where no profile does. */
export const defaultsName = "defaults";

/**
 * What the user has decided once for all: `config.json` in their configuration folder.
 *
 * ```json
 * { "profile": "staging", "defaults": { "port": "1090" }, "profiles": { "staging": { "context": "stage", "listen": true } } }
 * ```
 *
 * `profile` names the profile in use where `--profile` names none.
 */
export class Settings {
  /** Where the file is or would be; empty where the platform does not say. */
  readonly path: string;
  /** The profile in use unless another is asked for; undefined for none. */
  readonly profile: string | undefined;
  /** All sections by name, {@linkcode defaultsName} among them. */
  readonly sections: ReadonlyMap<string, Section>;

  private constructor(path: string, profile: string | undefined, sections: ReadonlyMap<string, Section>) {
    this.path = path;
    this.profile = profile;
    this.sections = sections;
  }

  /** No file at all. */
  static none(path = ""): Settings {
    return new Settings(path, undefined, new Map());
  }

  /** Reads the file of a configuration folder, which need not exist. Throws a {@linkcode Failure} when it is not what it should be. */
  static async load(folder: string): Promise<Settings> {
    const path = join(folder, "config.json");
    const text = await readFileIfAny(path);
    return text === undefined ? Settings.none(path) : Settings.parse(text, path);
  }

  /** Reads the text of a file. Throws a {@linkcode Failure} that names `path`. */
  static parse(text: string, path: string): Settings {
    const wrong = (what: string) =>
      new Failure(`"${path}" is not a hawser configuration: ${what} Mend it or delete it`);
    let file: unknown;
    try {
      file = JSON.parse(text);
    } catch (error) {
      throw wrong(`${error instanceof Error ? error.message : "it is no JSON"}.`);
    }
    if (!isObject(file)) throw wrong("it must be a JSON object.");
    const { profile, defaults, profiles, ...rest } = file;
    const [odd] = Object.keys(rest);
    if (odd !== undefined) throw wrong(`it knows no "${odd}".${didYouMean(odd, ["profile", "defaults", "profiles"])}`);
    if (profile !== undefined && typeof profile !== "string") throw wrong(`"profile" must be the name of a profile.`);
    const sections = new Map<string, Section>();
    if (defaults !== undefined) sections.set(defaultsName, readSection(defaults, `"defaults"`, wrong));
    if (profiles !== undefined && !isObject(profiles)) throw wrong(`"profiles" must be an object.`);
    for (const [name, section] of Object.entries(profiles ?? {})) {
      sections.set(name, readSection(section, `profile "${name}"`, wrong));
    }
    return new Settings(path, profile, sections);
  }

  /** The same with one section replaced, or dropped where it is undefined. */
  withSection(name: string, section: Section | undefined): Settings {
    const sections = new Map(this.sections);
    if (section === undefined) sections.delete(name);
    else sections.set(name, section);
    return new Settings(this.path, section === undefined && this.profile === name ? undefined : this.profile, sections);
  }

  /** The same with another profile in use. */
  withProfile(name: string | undefined): Settings {
    return new Settings(this.path, name, this.sections);
  }

  /** Writes the file. Throws a {@linkcode Failure}. */
  async save(): Promise<void> {
    const profiles = Object.fromEntries([...this.sections].filter(([name]) => name !== defaultsName));
    const file = { profile: this.profile, defaults: this.sections.get(defaultsName), profiles };
    await writePrivateFile(this.path, `${JSON.stringify(file, null, 2)}\n`);
  }
}

/** Every flag that the file and the environment may hold, by name, in the order of the table. */
export function settableFlags(table: readonly Command[]): ReadonlyMap<string, Flag> {
  const all = [globalFlags as Flags, ...table.map((command) => command.flags)];
  return new Map(all.flatMap((flags) => Object.entries(flags)).filter(([, flag]) => flag.setting));
}

/** The variable that stands for a flag: `dns-port` is `HAWSER_DNS_PORT`. */
export function variableOf(flag: string): string {
  return `HAWSER_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Completes what the command line gave: with the environment, then the profile, then the defaults of the file. Throws a
 * {@linkcode UsageError} for a profile that does not exist and for keys nobody knows.
 */
export function withSettings(
  given: GivenValues,
  flags: Flags,
  known: Iterable<string>,
  env: Environment,
  settings: Settings,
): GivenValues {
  const keys = [...known];
  const all = new Map(given);
  const fromEnvironment = (name: string): GivenValue | undefined => {
    const value = env[variableOf(name)];
    return value === undefined || value === "" ? undefined : { texts: [value], origin: variableOf(name) };
  };
  const asked = given.get("profile") ?? fromEnvironment("profile");
  const profile = asked?.texts.at(-1) ?? settings.profile;
  if (profile !== undefined && !settings.sections.has(profile)) {
    const source = asked?.origin ?? `"profile" in "${settings.path}"`;
    throw new UsageError(
      `${source} names profile "${profile}", which does not exist.${didYouMean(profile, settings.sections.keys())}`,
    );
  }
  for (const section of profile === undefined ? [defaultsName] : [profile, defaultsName]) {
    for (const key of Object.keys(settings.sections.get(section) ?? {})) {
      if (!keys.includes(key)) {
        throw new UsageError(`"${settings.path}" has an unknown key "${key}".${didYouMean(key, keys)}`);
      }
    }
  }
  for (const [name, flag] of Object.entries(flags)) {
    if (!flag.setting || all.has(name)) continue;
    const value = fromEnvironment(name) ??
      (profile === undefined ? undefined : fromSection(settings, profile, name)) ??
      fromSection(settings, defaultsName, name);
    if (value !== undefined) all.set(name, value);
  }
  return all;
}

function fromSection(settings: Settings, section: string, key: string): GivenValue | undefined {
  const value = settings.sections.get(section)?.[key];
  if (value === undefined) return undefined;
  const place = section === defaultsName ? "the defaults" : `profile "${section}"`;
  return {
    texts: Array.isArray(value) ? value : [String(value)],
    origin: `"${key}" in ${place} of "${settings.path}"`,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readSection(value: unknown, place: string, wrong: (what: string) => Failure): Section {
  if (!isObject(value)) throw wrong(`${place} must be an object.`);
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, readValue(held, key, place, wrong)]));
}

function readValue(
  value: unknown,
  key: string,
  place: string,
  wrong: (what: string) => Failure,
): string | boolean | string[] {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return String(value); // `"port": 1090`, as people write it
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw wrong(`"${key}" in ${place} must be a text, true, false, or a list of texts.`);
}
