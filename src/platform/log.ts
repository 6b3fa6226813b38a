/** How much a person wants to be told, from least to most. */
export const logLevels = ["error", "warn", "info", "debug"] as const;

/** One of {@linkcode logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/**
 * Where the code says what happens. `event` is for what a person must know (a pod is gone, the API server is lost) and is
 * always shown; the rest is shown from its level on. Messages hold no secrets: no tokens, certificates, variables or bodies.
 */
export interface Log {
  event(message: string): void;
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** A log that drops everything. */
export const silentLog: Log = { event() {}, error() {}, warn() {}, info() {}, debug() {} };
