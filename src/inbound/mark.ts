import type { Match } from "../agent/protocol.ts";

/**
 * Reads a condition on requests: `header=NAME:VALUE`, `cookie=NAME:VALUE`, `query=NAME:VALUE` or `path=VALUE`, where the value is as it stands, or after
 * `^` what it begins with, or after `~` a regular expression; `path-prefix=VALUE` is `path=^VALUE`. Throws a TypeError that quotes what it cannot read.
 */
export function parseMatch(text: string): Match {
  const [, word = "", rest = ""] = /^([a-z-]+)=(.*)$/s.exec(text) ?? [];
  if (word === "path-prefix") return { kind: "path", name: "", how: "prefix", value: pathValue(rest, text) };
  if (word === "path") {
    const condition = parseValue(rest, text);
    if (condition.how !== "regex") pathValue(condition.value, text);
    return { kind: "path", name: "", ...condition };
  }
  if (word !== "header" && word !== "cookie" && word !== "query") {
    throw new TypeError(
      `"${text}" is no condition: write header=NAME:VALUE, cookie=NAME:VALUE, query=NAME:VALUE, path=/PATH or path-prefix=/PATH`,
    );
  }
  const colon = rest.indexOf(":");
  const name = rest.slice(0, colon).trim();
  if (colon < 0 && rest !== "") throw new TypeError(`"${text}" lacks a value: write ${word}=NAME:VALUE`);
  if (name === "") throw new TypeError(`"${text}" lacks a name: write ${word}=NAME:VALUE`);
  if (word !== "query" && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    throw new TypeError(`"${name}" in "${text}" is no name of a ${word}`);
  }
  return {
    kind: word,
    name: word === "header" ? name.toLowerCase() : name,
    ...parseValue(rest.slice(colon + 1).trim(), text),
  };
}

/** Reads `KEY:VALUE`, as kt-connect spells its mark; a value alone is for the header VERSION. Throws a TypeError. */
export function parseVersionMark(text: string): Match {
  if (/^\s*(?::|$)|:\s*$/.test(text)) {
    throw new TypeError(`"${text}" is no mark: write VALUE or HEADER:VALUE, as in blue or VERSION:blue`);
  }
  return parseMatch(text.includes(":") ? `header=${text}` : `header=version:${text}`);
}

/** A mark for people: `header version is "blue" and path begins with "/api"`; empty for none. */
export function describeMark(matches: readonly Match[]): string {
  return matches.map(({ kind, name, how, value }) =>
    `${name === "" ? kind : `${kind} ${name}`} ${verbs[how]} "${value}"`
  ).join(" and ");
}

const verbs = { equals: "is", prefix: "begins with", regex: "matches" } as const;

function parseValue(text: string, whole: string): Pick<Match, "how" | "value"> {
  const how = text.startsWith("~") ? "regex" : text.startsWith("^") ? "prefix" : "equals";
  const value = how === "equals" ? text : text.slice(1);
  if (value === "") throw new TypeError(`"${whole}" lacks a value`);
  if (how === "regex") {
    try {
      new RegExp(value);
    } catch (error) {
      throw new TypeError(`"${whole}": ${error instanceof Error ? error.message : error}`);
    }
  }
  return { how, value };
}

function pathValue(value: string, whole: string): string {
  if (!value.startsWith("/")) throw new TypeError(`"${whole}": a path begins with "/"`);
  return value;
}
