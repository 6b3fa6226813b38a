import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { jvmFlags } from "../../src/wiring/jvm_flags.ts";

describe("jvmFlags", () => {
  it("names the proxy for HTTP, HTTPS and plain sockets", () => {
    assertEquals(jvmFlags({ port: 1080, auth: undefined }), [
      "-Dhttp.proxyHost=127.0.0.1",
      "-Dhttp.proxyPort=1080",
      "-Dhttps.proxyHost=127.0.0.1",
      "-Dhttps.proxyPort=1080",
      "-DsocksProxyHost=127.0.0.1",
      "-DsocksProxyPort=1080",
    ]);
  });

  it("refuses where the proxy asks for a password, which a JVM could not give", () => {
    const error = assertThrows(() => jvmFlags({ port: 1080, auth: { username: "u", password: "p4ss" } }), Failure);
    assertEquals([error.message.includes("--auth"), error.message.includes("p4ss")], [true, false]);
  });
});
