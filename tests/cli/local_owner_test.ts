import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { localOwner } from "../../src/cli/local_owner.ts";

function name(env: Record<string, string>, systemUser: () => string, kubernetesUser: string): string {
  return localOwner(kubernetesUser, { env, hostname: () => "vm", systemUser }).name;
}

function nameless(): never {
  throw new Error("ENOENT");
}

describe("localOwner", () => {
  it("takes the user's name from the environment, then the system, then the cluster", () => {
    assertEquals(name({ USER: "", LOGNAME: "alice" }, () => "bob", "carol"), "alice@vm");
    assertEquals(name({}, () => "bob", "carol"), "bob@vm");
    assertEquals(name({}, nameless, "carol"), "carol@vm");
    assertEquals(name({}, () => "", ""), "somebody@vm");
  });

  it("keeps to letters, digits and a few signs", () => {
    assertEquals(name({ USER: "Zoë \u001b[1m<x>" }, nameless, ""), "Zoë-1m-x-@vm");
    assertEquals(name({}, nameless, "oidc:carol@example.com"), "oidc-carol-example.com@vm");
  });

  it("gives each an id of its own", () => {
    const [one, other] = [localOwner("", { env: {} }), localOwner("", { env: {} })];
    assertEquals([one.id.length, one.id === other.id], [16, false]);
  });
});
