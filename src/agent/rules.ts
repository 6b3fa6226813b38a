import { compileMatch, type MatchedRequest } from "./compile_match.ts";
import type { Match, Owner, Rule } from "./protocol.ts";

/** A rule and whose it is. */
export interface OwnedRule {
  readonly owner: Owner;
  readonly rule: Rule;
}

/** Why rules are not taken. */
export interface Refusal {
  readonly error: string;
  /** Who holds what was asked for. */
  readonly holder?: string;
}

interface Entry extends OwnedRule {
  /** Equal for rules that take the same requests. */
  readonly mark: string;
  readonly tests: ReadonlyArray<(request: MatchedRequest) => boolean>;
}

/** How telling a condition is. */
const weights = { equals: 2, prefix: 1, regex: 0 } as const;

/** The rules of all owners, and which of them takes a request: the most specific, exchanges last. */
export class Rules {
  readonly #ports: ReadonlySet<number>;
  /** Most specific first. */
  #entries: readonly Entry[] = [];

  /** `ports` are those that rules may be for. */
  constructor(ports: Iterable<number>) {
    this.#ports = new Set(ports);
  }

  /** Replaces all rules of an owner, or none where it answers a refusal. */
  replace(owner: Owner, rules: readonly Rule[]): Refusal | undefined {
    const others = this.#entries.filter((each) => each.owner.id !== owner.id);
    const entries: Entry[] = [];
    for (const rule of rules) {
      const entry = this.#compile(owner, rule);
      if ("error" in entry) return entry;
      const rival = others.find((each) => each.rule.port === rule.port && each.mark === entry.mark);
      if (rival) return taken(rule, rival.owner.name);
      entries.push(entry);
    }
    this.#entries = [...others, ...entries].sort(bySpecificity);
    return undefined;
  }

  /** Whether an owner has rules. */
  has(ownerId: string): boolean {
    return this.#entries.some(({ owner }) => owner.id === ownerId);
  }

  /** The rule that takes a request. */
  pick(port: number, request: MatchedRequest): OwnedRule | undefined {
    return this.#entries.find(({ rule, tests }) => rule.port === port && tests.every((test) => test(request)));
  }

  /** The rule that takes what is no HTTP. */
  exchange(port: number): OwnedRule | undefined {
    return this.#entries.find(({ rule }) => rule.port === port && rule.match.length === 0);
  }

  /** Who has marks on a port. */
  marking(port: number): readonly Owner[] {
    return this.#entries.filter(({ rule }) => rule.port === port && rule.match.length > 0).map(({ owner }) => owner);
  }

  /** An owner's rules. */
  of(ownerId: string): readonly Rule[] {
    return this.#entries.filter(({ owner }) => owner.id === ownerId).map(({ rule }) => rule);
  }

  #compile(owner: Owner, rule: Rule): Entry | Refusal {
    if (!this.#ports.has(rule.port)) return { error: `The agent does not receive traffic on port ${rule.port}` };
    try {
      return { owner, rule, mark: mark(rule.match), tests: rule.match.map(compileMatch) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { error: error.message };
    }
  }
}

function bySpecificity(first: Entry, second: Entry): number {
  return second.tests.length - first.tests.length || weight(second) - weight(first) || length(second) - length(first);
}

function weight({ rule }: Entry): number {
  return rule.match.reduce((sum, { how }) => sum + weights[how], 0);
}

/** Of two prefixes the longer one says more. */
function length({ rule }: Entry): number {
  return rule.match.reduce((sum, { value }) => sum + value.length, 0);
}

function mark(match: readonly Match[]): string {
  return JSON.stringify(match.map(({ kind, name, how, value }) => JSON.stringify([kind, name, how, value])).sort());
}

function taken({ port, match }: Rule, holder: string): Refusal {
  const error = match.length === 0
    ? `Port ${port} is exchanged by ${holder} already`
    : `${holder} has the mark ${match.map(described).join(" and ")} on port ${port} already: choose another`;
  return { error, holder };
}

function described({ kind, name, how, value }: Match): string {
  const relation = how === "equals" ? "=" : how === "prefix" ? " beginning with " : " matching ";
  return `${name === "" ? kind : `${kind} ${name}`}${relation}${JSON.stringify(value)}`;
}
