import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dialErrorPage } from "../../src/proxy/dial_error_page.ts";
import type { Page } from "../../src/stream/error_page.ts";
import { header } from "../../src/stream/http_head.ts";
import { DialError, type DialErrorKind } from "../../src/tunnel/dialer.ts";

const text = ({ body }: Page) => new TextDecoder().decode(body);
const type = ({ head }: Page) => header(head.headers, "content-type");
const error = new DialError("not-ready", 'Service "orders" has no ready pod: <orders-1> & co');

describe("dialErrorPage", () => {
  it("has a status for each kind, and names the kind", () => {
    const statuses: Record<DialErrorKind, number> = {
      refused: 502,
      unreachable: 502,
      unsupported: 502,
      unknown: 502,
      "not-ready": 503,
      timeout: 504,
      forbidden: 403,
    };
    for (const [kind, status] of Object.entries(statuses)) {
      const { head } = dialErrorPage(new DialError(kind as DialErrorKind, "x"), []);
      assertEquals([head.status, header(head.headers, "x-hawser-error")], [status, kind]);
    }
  });

  it("is plain text for programs", () => {
    for (
      const accept of [
        undefined,
        "*/*",
        "application/json",
        "text/plain, text/html;q=0.5",
        "text/html;q=0",
        "*/*, text/html;q=0.9",
      ]
    ) {
      const page = dialErrorPage(error, accept === undefined ? [] : [["Accept", accept]]);
      assertEquals(type(page), "text/plain; charset=utf-8", accept);
      assertEquals(text(page), `${error.message}\n`);
    }
  });

  it("is HTML for browsers, with the sentence escaped", () => {
    for (
      const accept of [
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "TEXT/HTML ; level=1",
      ]
    ) {
      const page = dialErrorPage(error, [["accept", accept]]);
      assertEquals(type(page), "text/html; charset=utf-8", accept);
      assertStringIncludes(text(page), "&#60;orders-1&#62; &#38; co");
      assertFalse(text(page).includes("<orders-1>"));
    }
  });

  it("announces its length in bytes", () => {
    const page = dialErrorPage(new DialError("unknown", "„ö“"), []);
    assertEquals(header(page.head.headers, "content-length"), String(page.body.length));
    assert(page.body.length > 4);
  });
});
