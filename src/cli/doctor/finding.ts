/** What a check has found. */
export interface Finding {
  /** What was looked at, in a word or two: `TLS`, `port 1080`. */
  readonly subject: string;
  readonly state: "ok" | "warn" | "fail";
  /** What is the case. */
  readonly what: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly next: string;
}

/** All is well. */
export function ok(subject: string, what: string): Finding {
  return { subject, state: "ok", what, next: "" };
}

/** Something will work less well, or could not be checked. */
export function warn(subject: string, what: string, next = ""): Finding {
  return { subject, state: "warn", what, next };
}

/** Something will not work. */
export function fail(subject: string, what: string, next = ""): Finding {
  return { subject, state: "fail", what, next };
}

/** An error as a finding: its message says what to do. */
export function failed(subject: string, error: unknown): Finding {
  return fail(subject, error instanceof Error ? error.message : String(error));
}
