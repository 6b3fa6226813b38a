import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { javaProperties } from "../../src/wiring/java_properties.ts";

describe("javaProperties", () => {
  it("sends HTTP, HTTPS and plain sockets through the proxy, after the user's options, which then count no more", () => {
    const { JAVA_TOOL_OPTIONS } = javaProperties(
      { port: 1080, auth: undefined },
      { JAVA_TOOL_OPTIONS: "-Xmx1g -Dhttp.proxyHost=corporate" },
      "linux",
    );
    assertEquals(JAVA_TOOL_OPTIONS?.split(" "), [
      "-Xmx1g",
      "-Dhttp.proxyHost=corporate",
      "-Dhttp.proxyHost=127.0.0.1",
      "-Dhttp.proxyPort=1080",
      "-Dhttps.proxyHost=127.0.0.1",
      "-Dhttps.proxyPort=1080",
      "-DsocksProxyHost=127.0.0.1",
      "-DsocksProxyPort=1080",
    ]);
  });

  it("refuses where the proxy asks for a password", () => {
    assertThrows(() => javaProperties({ port: 1, auth: { username: "u", password: "p" } }, {}, "linux"), Failure);
  });
});
