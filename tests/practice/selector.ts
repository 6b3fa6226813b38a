import { StatusError } from "./status_error.ts";

type Labels = Readonly<Record<string, string>>;

/** Parses a `labelSelector` (equality and set based) into a test. Throws a 400 for what Kubernetes would not take. */
export function labelSelector(text: string): (labels: Labels | undefined) => boolean {
  const tests = splitOutsideParentheses(text).map(requirement);
  return (labels) => tests.every((test) => test(labels ?? {}));
}

/** Whether labels satisfy a `LabelSelector` object or a plain map. */
export function matchesLabels(wanted: Labels, labels: Labels | undefined): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
}

function requirement(text: string): (labels: Labels) => boolean {
  const set = /^([^\s!=(]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(text);
  if (set) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    const among = (labels: Labels) => key in labels && values.includes(labels[key]!);
    return operator === "in" ? among : (labels) => !among(labels);
  }
  const equality = /^([^\s!=(]+)\s*(==|=|!=)\s*([^\s!=(]*)$/.exec(text);
  if (equality) {
    const [, key = "", operator, value] = equality;
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const existence = /^(!?)\s*([^\s!=()]+)$/.exec(text);
  if (!existence) {
    throw StatusError.badRequest(
      `unable to parse requirement: found '${text}', expected: identifier, '!', 'in', 'notin', '='`,
    );
  }
  const [, not, key = ""] = existence;
  return (labels) => (key in labels) !== (not === "!");
}

/** Parses a `fieldSelector`. `fields` reads what the resource can be selected by. */
export function fieldSelector<T>(
  text: string,
  fields: Readonly<Record<string, (object: T) => string>>,
): (object: T) => boolean {
  const tests = splitOutsideParentheses(text).map((term) => {
    const [, key = "", operator, value = ""] = /^([^!=]+)(==|=|!=)(.*)$/.exec(term) ?? [];
    const read = fields[key];
    if (!operator) throw StatusError.badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    if (!read) throw StatusError.badRequest(`field label not supported: ${key}`);
    return (object: T) => (read(object) === value) === (operator !== "!=");
  });
  return (object) => tests.every((test) => test(object));
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((term) => term.trim()).filter((term) => term !== "");
}
