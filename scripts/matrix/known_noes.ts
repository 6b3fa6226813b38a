/** A cell that is known to be a no. */
export interface KnownNo {
  readonly client: string;
  readonly runtime: RegExp;
  /** A sentence, without the period. */
  readonly reason: string;
  /** What to do instead, a sentence too. */
  readonly wayOut: string;
}

/** All of them: whatever else fails is a fault. */
export const knownNoes: readonly KnownNo[] = [];
