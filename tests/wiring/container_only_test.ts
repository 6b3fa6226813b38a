import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isContainerOnly } from "../../src/wiring/container_only.ts";

describe("isContainerOnly", () => {
  it("holds for what the container, its image, its shell or its network made so", () => {
    for (const name of ["PATH", "Path", "HOME", "HOSTNAME", "LD_PRELOAD", "KUBERNETES_SERVICE_HOST", "no_proxy"]) {
      assertEquals([name, isContainerOnly(name, "x")], [name, true]);
    }
  });

  it("holds for options of a runtime that load what lies in the container", () => {
    for (const value of ["-javaagent:/otel/a.jar", "-Xmx1g -Dconfig=/etc/x", "--require /app/trace.js", '"/x"']) {
      assertEquals([value, isContainerOnly("JAVA_TOOL_OPTIONS", value)], [value, true]);
    }
    assertEquals(isContainerOnly("JAVA_OPTS", "-Dspring.profiles.active=dev -Durl=http://x/y -Xmx512m"), false);
    assertEquals(isContainerOnly("NODE_OPTIONS", "--max-old-space-size=512"), false);
  });

  it("does not hold for anything else", () => {
    for (const name of ["DB_HOST", "ORDERS_SERVICE_HOST", "PATH_PREFIX", "HOMEPAGE"]) {
      assertEquals([name, isContainerOnly(name, "/x")], [name, false]);
    }
  });
});
