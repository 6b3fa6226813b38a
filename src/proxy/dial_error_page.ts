import { errorPage, type Page } from "../stream/error_page.ts";
import type { HeaderList } from "../stream/http_head.ts";
import type { DialError, DialErrorKind } from "../tunnel/dialer.ts";

/** HTTP statuses (RFC 9110 §15) for the reasons why a connection could not be had. */
const statuses: Readonly<Record<DialErrorKind, number>> = {
  refused: 502,
  unreachable: 502,
  unsupported: 502,
  // Not 404: that would be an answer of a service, and clients would believe that the service is there.
  unknown: 502,
  "not-ready": 503,
  timeout: 504,
  forbidden: 403,
};

/**
 * The answer to a request whose destination could not be had: 502, 503, 504 or 403, with the error's own sentence as the body and
 * its kind in `X-Hawser-Error`, so that programs can tell hawser's answers from a service's.
 */
export function dialErrorPage(error: DialError, request: Readonly<HeaderList>): Page {
  return errorPage(statuses[error.kind], error.message, request, [["X-Hawser-Error", error.kind]]);
}
