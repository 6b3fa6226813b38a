import type { CliDeps } from "./deps.ts";
import type { Completable, Flag, Flags } from "./flag.ts";
import type { globalFlags } from "./global_flags.ts";
import type { IdleFlags } from "./idle_flags.ts";

/** How a command is spelled and explained; what it does is elsewhere. */
export interface Grammar<F extends Flags = Flags> {
  readonly name: string;
  /** One line without a period. */
  readonly summary: string;
  /** What a user should know, in paragraphs; may be empty. */
  readonly description: string;
  /** The words after the command. */
  readonly words: WordsGrammar;
  readonly flags: F;
  readonly examples: readonly { readonly line: string; readonly what: string }[];
  /** Which flags do nothing beside which others. */
  readonly idle?: readonly IdleFlags[];
  readonly hidden?: boolean;
  /** Does its work also where the user's settings cannot be read or understood. */
  readonly needsNoSettings?: boolean;
}

/** Which words a command takes beside its flags. */
export interface WordsGrammar {
  /** As shown in the usage line: `TARGET [LOCAL:]PORT…`; empty for none. */
  readonly usage: string;
  readonly least: number;
  /** Infinity where there is no limit. */
  readonly most: number;
  /** The words are a program's: from the first one on, or after `--`, nothing is ours any more. */
  readonly program?: boolean;
  readonly complete?: Completable;
  /** The words allowed at the first place, where they are few. */
  readonly choices?: readonly string[];
}

/** No words at all. */
export const noWords: WordsGrammar = { usage: "", least: 0, most: 0 };

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** The values of flags under their names in camel case: `dns-port` is `dnsPort`. */
export type Options<F extends Flags> = {
  readonly [Name in keyof F & string as Camel<Name>]: F[Name] extends Flag<infer T> ? T : never;
};

/** A command line, read: the options of the command and the global ones, and its words. */
export interface Invocation<F extends Flags> {
  readonly options: Options<F & typeof globalFlags>;
  readonly words: readonly string[];
}

/** What a command does; resolves with the exit status. */
export type Action<F extends Flags> = (invocation: Invocation<F>, deps: CliDeps) => Promise<number>;

/** A value as given, and where: `--port`, `HAWSER_PORT`. */
export interface GivenValue {
  readonly texts: readonly string[];
  readonly origin: string;
}

/** What was given for each flag, by its name; flags that were not given are missing. */
export type GivenValues = ReadonlyMap<string, GivenValue>;

/** A command: its grammar, and a way to run it with values that fit it. */
export interface Command extends Grammar {
  /** Reads the values and runs the action. Rejects with a `UsageError` when a value does not fit. */
  run(given: GivenValues, words: readonly string[], deps: CliDeps): Promise<number>;
}
