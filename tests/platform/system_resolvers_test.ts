import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { systemResolvers } from "../../src/platform/system_resolvers.ts";

describe("systemResolvers", () => {
  it("reads resolv.conf where there is one", async () => {
    const text = "# made by\nsearch corp.example\nnameserver 10.0.0.53\n  nameserver\tfd00::53  # second\n" +
      "nameserver 10.0.0.53\nnameserver fe80::1%eth0\n;nameserver 10.9.9.9\noptions ndots:1\n";
    assertEquals(await linux(() => Promise.resolve(text)), ["10.0.0.53", "fd00::53"]);
  });

  it("knows of none where resolv.conf cannot be read", async () => {
    assertEquals(await linux(() => Promise.reject(new Deno.errors.NotFound("no such file"))), []);
  });

  it("asks Deno on Windows, and drops addresses that are no servers", async () => {
    assertEquals(await windows(["10.0.0.53", "10.0.0.53", "fec0:0:0:ffff::1", "10.0.0.54"]), [
      "10.0.0.53",
      "10.0.0.54",
    ]);
  });

  it("takes none of the public servers that Deno makes up where it knows none", async () => {
    const madeUp = ["8.8.8.8", "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"];
    assertEquals(await windows(madeUp), []);
    assertEquals(await windows(["8.8.8.8"]), ["8.8.8.8"]);
  });
});

function linux(readTextFile: () => Promise<string>): Promise<string[]> {
  return systemResolvers({ os: "linux", readTextFile, servers: () => ["9.9.9.9"] });
}

function windows(servers: string[]): Promise<string[]> {
  const readTextFile = () => Promise.reject(new Error("there is no resolv.conf on Windows"));
  return systemResolvers({ os: "windows", readTextFile, servers: () => servers });
}
