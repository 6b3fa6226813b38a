import { UsageError } from "./usage_error.ts";

/** What `read` makes of the command line of `command`; the TypeError of a parser becomes a {@linkcode UsageError}. */
export function understood<T>(command: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, command) : error;
  }
}
