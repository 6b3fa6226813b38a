import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import { chooseContext } from "../../src/cluster/choose_context.ts";
import { parseKubeconfig } from "../../src/cluster/parse_kubeconfig.ts";

const config = await parseKubeconfig(
  `
current-context: dev
clusters:
- name: east
  cluster: { server: "https://east" }
- name: empty
  cluster: {}
users:
- name: me
  user: { token: t }
contexts:
- name: dev
  context: { cluster: east, user: me }
- name: anonymous
  context: { cluster: east }
- name: lost-cluster
  context: { cluster: west, user: me }
- name: lost-user
  context: { cluster: east, user: you }
- name: no-cluster
  context: { user: me }
- name: no-server
  context: { cluster: empty }
`,
  "config",
);

function messageFor(wanted: string | undefined, of = config): string {
  const error = assertThrows(() => chooseContext(of, wanted), AccessError);
  assertEquals(error.kind, "kubeconfig");
  return error.message;
}

describe("chooseContext", () => {
  it("takes the current context where none is named", () => {
    const { context, cluster, user } = chooseContext(config, undefined);
    assertEquals([context.name, cluster.name, user?.name], ["dev", "east", "me"]);
  });

  it("allows a context without user", () => {
    assertEquals(chooseContext(config, "anonymous").user, undefined);
  });

  it("lists the contexts and the nearest where there is none of that name", () => {
    const message = messageFor("anonimous");
    assertStringIncludes(message, 'no context "anonimous"');
    assertStringIncludes(message, '"dev"');
    assertStringIncludes(message, 'Did you mean "anonymous"?');
    assertStringIncludes(message, '"config"');
  });

  it("says where a wrong name comes from when nobody typed it", () => {
    assertStringIncludes(messageFor(undefined, { ...config, currentContext: "gone" }), "current-context");
  });

  it("asks for a choice where none was made", () => {
    const message = messageFor(undefined, { ...config, currentContext: "" });
    assertStringIncludes(message, "--context");
    assertStringIncludes(message, '"dev"');
  });

  it("says so where there are no contexts at all", () => {
    assertStringIncludes(messageFor("dev", { ...config, contexts: new Map() }), "no contexts");
  });

  it("names what a context points to in vain", () => {
    assertStringIncludes(messageFor("lost-cluster"), 'cluster "west", which is not defined');
    assertStringIncludes(messageFor("lost-user"), 'user "you", which is not defined');
    assertStringIncludes(messageFor("no-cluster"), "names no cluster");
    assertStringIncludes(messageFor("no-server"), "has no server");
  });
});
