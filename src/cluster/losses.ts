import type { ConfigKind } from "./config_reader.ts";

/** Why something of an object cannot be had. */
export type LossReason = "absent" | "forbidden" | { readonly missingKey: string };

/** What could not be had from ConfigMaps and Secrets; one sentence for each object, however much is missing of it. */
export class Losses {
  readonly #namespace: string;
  readonly #byCause = new Map<string, Set<string>>();
  readonly #others: string[] = [];

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** `what` is the variable or file that is left out. */
  add(kind: ConfigKind, name: string, reason: LossReason, what: string): void {
    const object = `${kind} "${name}" in namespace "${this.#namespace}"`;
    const cause = reason === "absent"
      ? `There is no ${object}`
      : reason === "forbidden"
      ? `You may not read ${object}: ask for the verb get on ${kind === "Secret" ? "secrets" : "configmaps"} there ` +
        `(hawser doctor --rbac --environment prints the Role), or give what is needed by --set`
      : `${object} has no key "${reason.missingKey}"`;
    const lost = this.#byCause.get(cause) ?? new Set();
    this.#byCause.set(cause, lost.add(what));
  }

  /** A whole sentence, without a period. */
  addOther(sentence: string): void {
    this.#others.push(sentence);
  }

  /** How much is missing. */
  get size(): number {
    return this.#others.length + [...this.#byCause.values()].reduce((sum, lost) => sum + lost.size, 0);
  }

  sentences(): readonly string[] {
    const grouped = [...this.#byCause].map(([cause, lost]) => `${cause}. Left out: ${[...lost].join(", ")}`);
    return [...grouped, ...this.#others];
  }
}
