import { Failure } from "../platform/failure.ts";

/** The command line, a variable or a setting is not as it must be; the process exits with status 2. */
export class UsageError extends Failure {
  override readonly name = "UsageError";
  /** The command whose `--help` explains it; empty for the one at work, or for hawser itself where there is none. */
  readonly command: string;
  constructor(message: string, command = "") {
    super(message);
    this.command = command;
  }
}
