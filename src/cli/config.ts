import { columns } from "./columns.ts";
import type { CliDeps } from "./deps.ts";
import type { Flag } from "./flag.ts";
import type { configActions, ConfigInvocation } from "./grammar/config.ts";
import { didYouMean } from "../platform/nearest.ts";
import { defaultsName, type Section, settableFlags, Settings, variableOf, withSettings } from "./settings.ts";
import { UsageError } from "./usage_error.ts";

interface Request {
  readonly words: readonly string[];
  /** The section that is meant: a profile, or the defaults. */
  readonly section: string;
  readonly json: boolean;
  readonly settings: Settings;
  readonly keys: ReadonlyMap<string, Flag>;
}

type ConfigAction = (request: Request, deps: CliDeps) => Promise<void> | void;

/**
 * `hawser config`. JSON: `show` an array of `{ key, value, origin }`, `keys` of `{ key, variable, summary }`, `get` the value, `profiles`
 * `{ profiles: string[], inUse: string | null }`, `path` the path; what changes the file prints nothing.
 */
export async function config({ options, words: [action, ...words] }: ConfigInvocation, deps: CliDeps): Promise<number> {
  const settings = await Settings.load(deps.paths().config);
  const section = options.profile ?? defaultsName;
  await actions[action as (typeof configActions)[number]](
    { words, section, json: options.output === "json", settings, keys: settableFlags(deps.table) },
    deps,
  );
  return 0;
}

const actions: Readonly<Record<(typeof configActions)[number], ConfigAction>> = {
  show({ words, section, json, settings, keys }, { terminal, env }) {
    exactly(words, 0, "show");
    const asked = section === defaultsName ? [] : [["profile", { texts: [section], origin: "--profile" }] as const];
    const given = withSettings(new Map(asked), Object.fromEntries(keys), keys.keys(), env, settings);
    const values = [...given].map(([key, { texts, origin }]) => ({ key, value: texts.join(","), origin }));
    if (json) terminal.printJson(values);
    else if (values.length === 0) terminal.print("Nothing is set. See: hawser config keys");
    else terminal.print(columns(values.map(({ key, value, origin }) => [key, value, `from ${origin}`])).join("\n"));
  },
  keys({ words, json, keys }, { terminal }) {
    exactly(words, 0, "keys");
    const rows = [...keys].filter(([, flag]) => !flag.hidden).map(([key, { summary }]) => ({
      key,
      variable: variableOf(key),
      summary,
    }));
    if (json) terminal.printJson(rows);
    else terminal.print(columns(rows.map(({ key, variable, summary }) => [key, variable, summary])).join("\n"));
  },
  get({ words, section, json, settings, keys }, { terminal }) {
    const [key = ""] = exactly(words, 1, "get KEY");
    known(key, keys);
    const value = sectionOf(settings, section)[key];
    if (json) terminal.printJson(value ?? null);
    else if (value !== undefined) terminal.print(Array.isArray(value) ? value.join(",") : String(value));
  },
  async set({ words, section, settings, keys }) {
    const [key = "", ...values] = words;
    if (values.length === 0) throw new UsageError("Write it as: hawser config set KEY VALUE", "config");
    const flag = known(key, keys);
    if (values.length > 1 && !flag.repeatable) {
      throw new UsageError(`"${key}" takes one value, not ${values.length}`, "config");
    }
    flag.read(values, `"${key}"`); // refuses what no command could use
    const value = flag.repeatable
      ? values.flatMap((each) => each.split(","))
      : flag.value === undefined
      ? values[0] === "true"
      : values[0]!;
    await settings.withSection(section, { ...settings.sections.get(section), [key]: value }).save();
  },
  async unset({ words, section, settings, keys }) {
    if (words.length === 0) throw new UsageError("Write it as: hawser config unset KEY…", "config");
    const rest: Record<string, Section[string]> = { ...sectionOf(settings, section) };
    for (const key of words) {
      if (!(key in rest)) known(key, keys); // a key of the file may be removed even if nobody knows it
      delete rest[key];
    }
    await settings.withSection(section, rest).save();
  },
  profiles({ words, json, settings }, { terminal }) {
    exactly(words, 0, "profiles");
    const profiles = [...settings.sections.keys()].filter((name) => name !== defaultsName);
    if (json) terminal.printJson({ profiles, inUse: settings.profile ?? null });
    else if (profiles.length === 0) {
      terminal.print("No profiles. Make one with: hawser config set KEY VALUE --profile NAME");
    } else terminal.print(profiles.map((name) => name === settings.profile ? `${name} (in use)` : name).join("\n"));
  },
  async use({ words, settings }) {
    if (words.length > 1) exactly(words, 1, "use NAME");
    const [name] = words;
    if (name !== undefined) sectionOf(settings, name);
    await settings.withProfile(name).save();
  },
  async drop({ words, settings }) {
    const [name = ""] = exactly(words, 1, "drop NAME");
    sectionOf(settings, name);
    await settings.withSection(name, undefined).save();
  },
  path({ words, json, settings }, { terminal }) {
    exactly(words, 0, "path");
    if (json) terminal.printJson(settings.path);
    else terminal.print(settings.path);
  },
};

function exactly(words: readonly string[], count: number, form: string): readonly string[] {
  if (words.length !== count) throw new UsageError(`Write it as: hawser config ${form}`, "config");
  return words;
}

function known(key: string, keys: ReadonlyMap<string, Flag>): Flag {
  const flag = keys.get(key);
  if (!flag) {
    throw new UsageError(`Unknown key "${key}".${didYouMean(key, keys.keys())} hawser config keys lists all`, "config");
  }
  return flag;
}

function sectionOf(settings: Settings, name: string): Section {
  const section = settings.sections.get(name);
  if (section || name === defaultsName) return section ?? {};
  const profiles = [...settings.sections.keys()].filter((each) => each !== defaultsName);
  throw new UsageError(`There is no profile "${name}".${didYouMean(name, profiles)}`, "config");
}
