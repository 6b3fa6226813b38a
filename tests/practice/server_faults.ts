import type { AnswerFault } from "./faults.ts";
import type { RequestInfo } from "./request_info.ts";
import { StatusError } from "./status_error.ts";

const words: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  401: ["Unauthorized", "Unauthorized"],
  403: ["Forbidden", "forbidden: by the practice cluster"],
  404: ["NotFound", "the server could not find the requested resource"],
  409: [
    "Conflict",
    "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again",
  ],
  410: ["Expired", "too old resource version: 1 (1000)"],
  429: ["TooManyRequests", "Too many requests, please try again later."],
  500: ["InternalError", "Internal error occurred: by the practice cluster"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: ["Timeout", "Timeout: request did not complete within requested timeout"],
};

/** What the API server is told to get wrong. */
export class ServerFaults {
  /** Status to answer WebSocket upgrades with. */
  refuseWebSockets: number | undefined;
  /** Status to answer SPDY upgrades with. */
  refuseSpdy: number | undefined;
  #answers: { readonly fault: AnswerFault; left: number }[] = [];

  answer(fault: AnswerFault): void {
    this.#answers.push({ fault, left: fault.times ?? 1 });
  }

  answerNormally(): void {
    this.#answers = [];
  }

  /** The error to answer a request with, if it is one of those; each is counted. */
  next(info: RequestInfo): StatusError | undefined {
    const found = this.#answers.find(({ fault, left }) => {
      return left > 0 && (!fault.verb || fault.verb === info.verb) && (!fault.path || fault.path.test(info.path));
    });
    if (!found) return undefined;
    found.left--;
    const { status, message, retryAfter } = found.fault;
    const [reason, usual] = words[status] ?? ["Unknown", `the practice cluster answers with ${status}`];
    const details = retryAfter === undefined ? undefined : { retryAfterSeconds: retryAfter };
    const headers = retryAfter === undefined ? undefined : { "Retry-After": String(retryAfter) };
    return new StatusError(status, reason, message ?? usual, details, headers);
  }
}
