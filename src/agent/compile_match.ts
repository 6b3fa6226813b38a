import type { HeaderList } from "../stream/http_head.ts";
import { compileRegex } from "./compile_regex.ts";
import type { Match } from "./protocol.ts";
import { requestPath } from "./request_path.ts";

/** What rules see of an HTTP request. */
export interface MatchedRequest {
  /** Path and query as they stand in the request. */
  readonly target: string;
  readonly headers: Readonly<HeaderList>;
}

/** Makes the test whether a condition holds for a request: one value of several is enough. Throws a RangeError on a regular expression that is refused. */
export function compileMatch(match: Match): (request: MatchedRequest) => boolean {
  const holds = comparison(match);
  const { kind, name } = match;
  switch (kind) {
    case "header":
      return ({ headers }) => headers.some(([each, value]) => each.toLowerCase() === name && holds(value));
    case "cookie":
      return ({ headers }) => cookies(headers).some(([each, value]) => each === name && holds(value));
    case "query":
      return ({ target }) => query(target).getAll(name).some(holds);
    case "path":
      return ({ target }) => holds(requestPath(target));
  }
}

function comparison({ how, value: wanted }: Match): (value: string) => boolean {
  switch (how) {
    case "equals":
      return (value) => value === wanted;
    case "prefix":
      return (value) => value.startsWith(wanted);
    case "regex":
      return compileRegex(wanted);
  }
}

/** RFC 6265 §4.2.1: `a=b; c=d`; quotes belong to the value. */
function cookies(headers: Readonly<HeaderList>): Array<[name: string, value: string]> {
  return headers.filter(([name]) => name.toLowerCase() === "cookie").flatMap(([, list]) =>
    list.split(";").map((each): [string, string] => {
      const [name = "", ...value] = each.split("=");
      return [name.trim(), value.join("=").trim()];
    })
  );
}

function query(target: string): URLSearchParams {
  const start = target.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : target.slice(start + 1));
}
