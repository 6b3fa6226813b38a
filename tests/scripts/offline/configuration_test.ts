import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { offlineConfiguration } from "../../../scripts/offline/configuration.ts";

const configuration = JSON.parse(Deno.readTextFileSync(new URL("../../../deno.json", import.meta.url)));

describe("offlineConfiguration", () => {
  const offline = offlineConfiguration(configuration, "other.lock");

  it("maps no module to JSR, and keeps the npm packages as they are", () => {
    assertEquals(Object.values(offline.imports).filter((specifier) => specifier.startsWith("jsr:")), []);
    assertEquals(offline.imports["dns2"], configuration.imports["dns2"]);
  });

  it("maps modules to files that are there", () => {
    const local = Object.values(offline.imports).filter((specifier) => specifier.startsWith("./"));
    assertEquals(local.length > 0, true);
    for (const file of local) Deno.statSync(`${import.meta.dirname}/../../../${file}`);
  });

  it("keeps what else the configuration says, with another lock file", () => {
    assertEquals(offline["compilerOptions"], configuration.compilerOptions);
    assertEquals(offline["unstable"], configuration.unstable);
    assertEquals(offline["lock"], { path: "other.lock" });
  });
});
