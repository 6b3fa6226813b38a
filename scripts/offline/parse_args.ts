/** One name or several. */
type Names<Name extends string> = Name | readonly Name[];

type Aliases = { readonly [name: string]: string | readonly string[] };

/** How {@linkcode parseArgs} reads the words; the names are those of `@std/cli/parse-args`. */
export interface ParseOptions<
  Booleans extends string = string,
  Strings extends string = string,
  Collected extends string = string,
  Negatable extends string = string,
  Defaults extends Record<string, unknown> | undefined = Record<string, unknown> | undefined,
  Alias extends Aliases | undefined = Aliases | undefined,
  DoubleDash extends boolean | undefined = boolean | undefined,
> {
  /** Puts the words after `--` into the result's `"--"` instead of its `_`. @default false */
  "--"?: DoubleDash;
  /** Other names of a flag. Every name of a flag appears in the result. */
  alias?: Alias;
  /** Flags without a value; false where they are not given. */
  boolean?: boolean | Names<Booleans>;
  /** Values of flags that are not given. */
  default?: Defaults;
  /** Takes every word after the first positional one as positional. @default false */
  stopEarly?: boolean;
  /** Flags whose value stays a string even if it looks like a number; `""` where the value is missing. */
  string?: Names<Strings>;
  /** Flags that may be given several times; `[]` where they are not given. */
  collect?: Names<Collected>;
  /** Flags that `--no-NAME` sets to false. */
  negatable?: Names<Negatable>;
  /** Called for each positional word and each flag nobody declared; the word is left out if it answers false. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Flags<B extends string, S extends string, C extends string, N extends string> =
  & { [Name in Exclude<S, C>]?: Name extends N ? string | false : string }
  & { [Name in Extract<S, C>]: string[] }
  & { [Name in Exclude<B, C>]: boolean }
  & { [Name in Extract<B, C>]: boolean[] }
  & { [Name in Exclude<C, S | B>]: unknown[] };

type WithDefaults<F, D> = D extends Record<string, unknown>
  ? Omit<F, keyof D> & { [Name in keyof D]: Name extends keyof F ? D[Name] | NonNullable<F[Name]> : unknown }
  : F;

type AliasesOf<Name, A> = Name extends keyof A
  ? A[Name] extends readonly string[] ? A[Name][number] : A[Name] extends string ? A[Name] : never
  : never;

type WithAliases<F, A> = { [Name in keyof F as Name | AliasesOf<Name, A>]: F[Name] };

/** What {@linkcode parseArgs} found: every flag by each of its names, and the positional words in `_`. */
export type Args<Found = Record<string, unknown>, DoubleDash extends boolean | undefined = undefined> =
  & { [key: string]: unknown }
  & Found
  & { _: (string | number)[] }
  & (DoubleDash extends true ? { "--": string[] } : Record<never, never>);

/**
 * Reads command line words as `@std/cli/parse-args` does, dotted names excepted.
 *
 * A flag takes the next word as its value unless it is boolean or that word begins with a hyphen. Words that look like
 * numbers become numbers unless `string` names their flag (`_` for positional words). Undeclared flags are accepted
 * unless `unknown` answers false.
 */
export function parseArgs<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Defaults extends Record<string, unknown> | undefined = undefined,
  const Alias extends Aliases | undefined = undefined,
  DoubleDash extends boolean | undefined = undefined,
>(
  args: readonly string[],
  options: ParseOptions<Booleans, Strings, Collected, Negatable, Defaults, Alias, DoubleDash> = {},
): Args<WithAliases<WithDefaults<Flags<Booleans, Strings, Collected, Negatable>, Defaults>, Alias>, DoubleDash> {
  const reader = new Reader(options as ParseOptions);
  // The type says what Reader.found holds for these options; the words are only known at run time.
  return reader.read(args) as ReturnType<
    typeof parseArgs<Booleans, Strings, Collected, Negatable, Defaults, Alias, DoubleDash>
  >;
}

class Reader {
  readonly found: Record<string, unknown> & { _: (string | number)[] } = { _: [] };
  readonly #options: ParseOptions;
  readonly #names = new Map<string, readonly string[]>();
  readonly #booleans: ReadonlySet<string>;
  readonly #strings: ReadonlySet<string>;
  readonly #collected: ReadonlySet<string>;
  readonly #negatable: ReadonlySet<string>;

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const all = [name, ...list(others)];
      for (const each of all) this.#names.set(each, all);
    }
    this.#booleans = this.#withAliases(typeof options.boolean === "boolean" ? [] : list(options.boolean));
    this.#strings = this.#withAliases(list(options.string));
    this.#collected = this.#withAliases(list(options.collect));
    this.#negatable = this.#withAliases(list(options.negatable));
  }

  read(args: readonly string[]): typeof this.found {
    const end = args.indexOf("--");
    const words = end < 0 ? args : args.slice(0, end);
    const rest = end < 0 ? [] : args.slice(end + 1);
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!;
      if (word.startsWith("-") && word !== "-") {
        const used = word.startsWith("--") ? this.#long(word, words[at + 1]) : this.#short(word, words[at + 1]);
        if (used) at++;
        continue;
      }
      if (this.#options.unknown?.(word) !== false) {
        this.found._.push(this.#strings.has("_") ? word : numberIfNumeric(word));
      }
      if (this.#options.stopEarly) {
        this.found._.push(...words.slice(at + 1));
        break;
      }
    }
    this.#fillIn();
    if (this.#options["--"]) this.found["--"] = [...rest];
    else this.found._.push(...rest);
    return this.found;
  }

  /** Reads `--name`, `--name=value` or `--name value`; answers whether it used the next word. */
  #long(word: string, next: string | undefined): boolean {
    const equals = word.indexOf("=", 3);
    if (equals > 0 && equals < word.length - 1) {
      const name = word.slice(2, equals);
      const value = word.slice(equals + 1);
      this.#set(name, this.#booleans.has(name) ? value !== "false" : value, word);
      return false;
    }
    const name = word.slice(2);
    if (name.startsWith("no-") && this.#negatable.has(name.slice(3))) {
      this.#set(name.slice(3), false, word, false);
      return false;
    }
    return this.#takeNext(name, next, word, this.#options.boolean !== true && next?.startsWith("-") === false);
  }

  /** Reads `-a`, `-abc`, `-a value`, `-a=value` or `-a1`; answers whether it used the next word. */
  #short(word: string, next: string | undefined): boolean {
    for (let at = 1; at < word.length - 1; at++) {
      const name = word[at]!;
      const after = word.slice(at + 1);
      if (after === "-") {
        this.#set(name, after, word);
        continue;
      }
      if (/[A-Za-z]/.test(name)) {
        const value = /=(?<value>.+)/.exec(after)?.groups?.["value"];
        if (value !== undefined || /-?\d+(\.\d*)?(e-?\d+)?$/.test(after)) {
          this.#set(name, value ?? after, word);
          return false;
        }
      }
      if (after.length > 1 && /^\W/.test(after)) {
        this.#set(name, after, word);
        return false;
      }
      this.#set(name, this.#withoutValue(name), word);
    }
    const last = word.at(-1)!;
    return last !== "-" && this.#takeNext(last, next, word, next !== undefined && /^(?!-)|^-$/.test(next));
  }

  #takeNext(name: string, next: string | undefined, word: string, isValue: boolean): boolean {
    if (next && isValue && !this.#booleans.has(name)) {
      this.#set(name, next, word);
      return true;
    }
    if (next === "true" || next === "false") {
      this.#set(name, next === "true", word);
      return true;
    }
    this.#set(name, this.#withoutValue(name), word);
    return false;
  }

  #withoutValue(name: string): string | true {
    return this.#strings.has(name) ? "" : true;
  }

  #set(name: string, value: unknown, word: string, collect = true): void {
    const known = this.#booleans.has(name) || this.#strings.has(name) || this.#names.has(name) ||
      (this.#options.boolean === true && /^--[^=]+$/.test(word));
    if (!known && this.#options.unknown?.(word, name, value) === false) return;
    const stored = typeof value === "string" && !this.#strings.has(name) ? numberIfNumeric(value) : value;
    for (const each of this.#names.get(name) ?? [name]) {
      if (collect && this.#collected.has(each)) {
        const before = this.found[each];
        this.found[each] = Array.isArray(before) ? [...before, stored] : [stored];
      } else {
        this.found[each] = stored;
      }
    }
  }

  #fillIn(): void {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      if (Object.hasOwn(this.found, name)) continue;
      for (const each of this.#names.get(name) ?? [name]) this.found[each] = value;
    }
    for (const name of this.#strings) if (this.#collected.has(name)) this.found[name] ??= [];
    for (const name of this.#booleans) this.found[name] ??= this.#collected.has(name) ? [] : false;
  }

  #withAliases(names: readonly string[]): ReadonlySet<string> {
    return new Set(names.flatMap((name) => this.#names.get(name) ?? [name]));
  }
}

function list(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

function numberIfNumeric(word: string): string | number {
  return /\S/.test(word) && Number.isFinite(Number(word)) ? Number(word) : word;
}
