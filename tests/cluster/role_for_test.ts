import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { permissions } from "../../src/cluster/permissions.ts";
import { roleFor } from "../../src/cluster/role_for.ts";

describe("roleFor", () => {
  it("writes the Role that connect needs", () => {
    assertEquals(
      roleFor(["connect"], { namespace: "dev" }),
      `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: hawser
  namespace: "dev"
rules:
- apiGroups: [""]
  resources: [services, pods]
  verbs: [get, list, watch]
- apiGroups: ["discovery.k8s.io"]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/portforward]
  verbs: [get, create]
`,
    );
  });

  it("says everything once for several commands", () => {
    assertEquals(roleFor(["connect", "run"], { namespace: "dev" }), roleFor(["connect"], { namespace: "dev" }));
  });

  it("holds every permission of the command", () => {
    const role = roleFor(["forward"], { namespace: "dev" });
    for (const { resource } of permissions.forward) assertStringIncludes(role, resource);
  });

  it("names a resource once in each rule, also where commands want it for different reasons", () => {
    const role = roleFor(["forward", "exchange"], { namespace: "dev" });
    assertEquals(role.match(/resources: \[services, pods\]/g)?.length, 1);
    assertStringIncludes(role, "resources: [leases]\n  verbs: [get, list, create, patch, delete]");
  });

  it("binds the Role to a user or service account, whatever its name", () => {
    const user = roleFor(["connect"], { namespace: "dev", user: 'eve"\n- x' });
    assertStringIncludes(user, 'kind: User\n  name: "eve\\"\\n- x"\n');
    const account = roleFor(["connect"], { namespace: "dev", user: "system:serviceaccount:ci:robot" });
    assertStringIncludes(account, '- kind: ServiceAccount\n  name: "robot"\n  namespace: "ci"\n');
    assertFalse(roleFor(["connect"], { namespace: "dev" }).includes("RoleBinding"));
  });
});
