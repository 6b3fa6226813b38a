import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { zoneOfCorefile } from "../../src/cluster/zone.ts";

describe("zoneOfCorefile", () => {
  it("takes the first zone of the kubernetes plugin that is not a reverse one", () => {
    assertEquals(
      zoneOfCorefile(
        ".:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n      pods insecure\n    }\n}",
      ),
      "cluster.local",
    );
    assertEquals(
      zoneOfCorefile(".:53 {\n  kubernetes in-addr.arpa 10.in-addr.arpa K8s.Example.org. {\n}\n}"),
      "k8s.example.org",
    );
  });

  it("takes the server block's zone where the plugin names none", () => {
    assertEquals(
      zoneOfCorefile("dns://corp.internal:53 in-addr.arpa {\n  kubernetes {\n    ttl 5\n  }\n}"),
      "corp.internal",
    );
    assertEquals(
      zoneOfCorefile("example.org {\n  forward . 1.1.1.1\n}\ncorp.internal {\n  kubernetes\n}"),
      "corp.internal",
    );
  });

  it("finds none where there is none", () => {
    for (
      const text of ["", ".:53 {\n  forward . 1.1.1.1\n}", ".:53 {\n  kubernetes {\n}\n}", ". {\n # kubernetes x.y\n}"]
    ) {
      assertEquals(zoneOfCorefile(text), undefined, text);
    }
  });
});
