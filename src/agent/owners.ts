import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { MatchedRequest } from "./compile_match.ts";
import type { Answer, Link } from "./link.ts";
import type { AgentPort, ControlEvent, ControlRequest, Owner, OwnerRules, Rule } from "./protocol.ts";
import { type OwnedRule, Rules } from "./rules.ts";

/** Whose laptop takes a request, by which rule. */
export interface Taker {
  readonly rule: Rule;
  readonly link: Link;
}

/** The owners whose links stand, their rules, and what is under way to them. */
export class Owners {
  readonly #links = new Map<string, Link>();
  readonly #rules: Rules;
  /** Ports whose requests somebody else than a laptop can answer. */
  readonly #passing: ReadonlySet<number>;
  readonly #onDrain: () => void;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting = new Set<() => void>();
  #underWay = 0;
  #draining = false;
  #ending = false;
  #hadRules = false;

  /** `onDrain` is called when nothing new goes to laptops any more. */
  constructor(
    ports: readonly AgentPort[],
    onDrain: () => void,
    deps: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#rules = new Rules(ports.map(({ port }) => port));
    this.#passing = new Set(ports.filter(({ origin }) => origin).map(({ port }) => port));
    this.#onDrain = onDrain;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  /** Nothing new goes to laptops; whoever is served is to come back on a new connection. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether anybody has rules. */
  get taking(): boolean {
    return [...this.#links.keys()].some((id) => this.#rules.has(id));
  }

  /** Whether anybody has ever had rules. */
  get hasTaken(): boolean {
    return this.#hadRules;
  }

  /** Takes a link in. Its owner's rules stay where it replaces an older one. */
  join(link: Link): void {
    const { id, name } = link.owner;
    const older = this.#links.get(id);
    this.#links.set(id, link);
    this.#log.info(older ? `${name} has linked up anew` : `${name} has linked up`);
    older?.close();
  }

  /** Drops a link that is over: its rules stop matching at once. */
  leave(link: Link, error: Error | undefined): void {
    const { id, name } = link.owner;
    if (this.#links.get(id) !== link) return;
    this.#links.delete(id);
    this.#log.info(`The link of ${name} is over${error ? `: ${error.message}` : ""}`);
    this.#setRules(link.owner, [], "lost");
  }

  /** Answers what an owner asks for. */
  control(owner: Owner, request: ControlRequest): Promise<Answer> | Answer {
    switch (request.type) {
      case "rules":
        return this.#setRules(owner, request.rules);
      case "owners":
        return { ok: true, owners: this.#list() };
      case "drain":
        return this.drain(request.ms).then(() => ({ ok: true }));
    }
  }

  /** Who takes an HTTP request. */
  pick(port: number, request: MatchedRequest): Taker | undefined {
    return this.#taker(this.#rules.pick(port, request));
  }

  /** Who takes a connection that is no HTTP. */
  exchange(port: number): Taker | undefined {
    return this.#taker(this.#rules.exchange(port));
  }

  /** Tells those who have marks on a port that TLS comes to it. */
  tellEncrypted(port: number): void {
    for (const { id } of this.#rules.marking(port)) this.#links.get(id)?.tellOnce({ event: "encrypted", port });
  }

  /** Counts something as under way to a laptop for as long as it takes. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work;
    } finally {
      if (--this.#underWay === 0) { for (const wake of this.#waiting) wake(); }
    }
  }

  /**
   * Sends nothing new to laptops that the original pods can answer, until somebody sets rules anew, and has callers open new connections; resolves once
   * nothing is under way any more, or after `ms`.
   */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    this.#onDrain();
    this.#log.info(`Draining${this.#passing.size > 0 ? ": all traffic goes to the original pods from now on" : ""}`);
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#waiting.add(done);
    });
  }

  /** Drains for good: the agent ends, and takes no rules any more. */
  async end(ms: number): Promise<void> {
    this.#ending = true;
    await this.drain(ms);
  }

  /** Ends all links. */
  close(): void {
    for (const link of [...this.#links.values()]) link.close();
  }

  #setRules(owner: Owner, rules: readonly Rule[], farewell: "left" | "lost" = "left"): Answer {
    if (this.#ending && rules.length > 0) {
      return { ok: false, error: "This agent is about to end: ask the one that follows it" };
    }
    const had = this.#rules.has(owner.id);
    const refusal = this.#rules.replace(owner, rules);
    if (refusal) return { ok: false, ...refusal };
    if (rules.length > 0) {
      this.#draining = false;
      this.#hadRules = true;
    }
    if (had !== rules.length > 0) this.#tellOthers(owner, { event: had ? farewell : "joined", owner: owner.name });
    if (had || rules.length > 0) this.#log.info(`${owner.name} has ${rules.length} rules now`);
    return { ok: true };
  }

  #list(): readonly OwnerRules[] {
    return [...this.#links.values()].map(({ owner: { id, name } }) => ({ id, owner: name, rules: this.#rules.of(id) }));
  }

  #taker(found: OwnedRule | undefined): Taker | undefined {
    if (!found || this.#draining && this.#passing.has(found.rule.port)) return undefined;
    const link = this.#links.get(found.owner.id);
    return link && { rule: found.rule, link };
  }

  #tellOthers(owner: Owner, event: ControlEvent): void {
    for (const [id, link] of this.#links) if (id !== owner.id) link.tell(event);
  }
}
