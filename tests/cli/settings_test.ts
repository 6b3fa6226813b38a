import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commandTable } from "../../src/cli/command_table.ts";
import type { GivenValues } from "../../src/cli/command.ts";
import { settableFlags, Settings, withSettings } from "../../src/cli/settings.ts";
import { Failure } from "../../src/platform/failure.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import type { Environment } from "../../src/platform/proxy_settings.ts";

const file = JSON.stringify({
  profile: "stage",
  defaults: { port: 1090, namespaces: ["a", "b"], context: "kind" },
  profiles: { stage: { port: "1091", listen: true }, other: { port: "1092" } },
});

function value(key: string, given: GivenValues = new Map(), env: Environment = {}, text = file) {
  const keys = settableFlags(commandTable);
  return withSettings(given, Object.fromEntries(keys), keys.keys(), env, Settings.parse(text, "f")).get(key);
}

describe("withSettings", () => {
  it("lets the flag win over the variable, that over the profile, that over the defaults", () => {
    const flag = new Map([["port", { texts: ["1"], origin: "--port" }]]);
    assertEquals(value("port", flag, { HAWSER_PORT: "2" })?.texts, ["1"]);
    assertEquals(value("port", new Map(), { HAWSER_PORT: "2" }), { texts: ["2"], origin: "HAWSER_PORT" });
    assertEquals(value("port")?.texts, ["1091"]);
    assertEquals(value("context")?.texts, ["kind"]);
    assertEquals(value("dns-port"), undefined);
  });

  it("takes the profile that is asked for, by flag or variable", () => {
    assertEquals(value("port", new Map([["profile", { texts: ["other"], origin: "--profile" }]]))?.texts, ["1092"]);
    assertEquals(value("port", new Map(), { HAWSER_PROFILE: "other" })?.texts, ["1092"]);
  });

  it("carries switches and lists", () => {
    assertEquals(value("listen")?.texts, ["true"]);
    assertEquals(value("namespaces")?.texts, ["a", "b"]);
  });

  it("refuses a profile that does not exist and a key nobody knows", () => {
    const env = { HAWSER_PROFILE: "stagee" };
    assertStringIncludes(
      assertThrows(() => value("port", new Map(), env), UsageError).message,
      'HAWSER_PROFILE names profile "stagee", which does not exist. Did you mean "stage"?',
    );
    const error = assertThrows(() => value("port", new Map(), {}, `{ "defaults": { "prot": "1" } }`), UsageError);
    assertStringIncludes(error.message, 'unknown key "prot". Did you mean "port"?');
  });

  it("ignores an empty variable", () => assertEquals(value("port", new Map(), { HAWSER_PORT: "" })?.texts, ["1091"]));
});

describe("Settings.parse", () => {
  it("says what is wrong with a file", () => {
    const wrong: [string, string][] = [
      ["", "JSON"],
      ["[]", "must be a JSON object"],
      ['{ "profiels": {} }', 'knows no "profiels". Did you mean "profiles"?'],
      ['{ "profile": 1 }', "must be the name of a profile"],
      ['{ "defaults": [] }', "must be an object"],
      ['{ "profiles": { "x": { "port": null } } }', '"port" in profile "x"'],
    ];
    for (const [text, expected] of wrong) {
      const error = assertThrows(() => Settings.parse(text, "/f"), Failure);
      assertStringIncludes(error.message, expected);
      assertStringIncludes(error.message, '"/f"');
    }
  });
});
