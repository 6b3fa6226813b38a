import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { choosePorts } from "../../src/inbound/choose_ports.ts";
import { parseExpose } from "../../src/inbound/expose.ts";
import { Failure } from "../../src/platform/failure.ts";

describe("parseExpose", () => {
  it("reads a local port, the service's, and where the program listens", () => {
    assertEquals(parseExpose("8080"), { host: undefined, local: 8080, port: undefined });
    assertEquals(parseExpose("8080:80"), { host: undefined, local: 8080, port: 80 });
    assertEquals(parseExpose("8080:http"), { host: undefined, local: 8080, port: "http" });
    assertEquals(parseExpose("127.0.0.2:8080:80"), { host: "127.0.0.2", local: 8080, port: 80 });
    assertEquals(parseExpose("localhost:8080"), { host: undefined, local: 8080, port: undefined });
    assertEquals(parseExpose("[::1]:8080:http"), { host: "::1", local: 8080, port: "http" });
  });

  it("refuses other machines, and what is no port", () => {
    for (const text of ["", "http", "0", "70000", "8080:", "8080:0", "8080:80:9", "8080:-a", ":8080"]) {
      assertThrows(() => parseExpose(text), TypeError, text === "" ? undefined : `"`);
    }
    for (const host of ["192.168.0.1", "[fe80::1]", "db.example", "0.0.0.0"]) {
      assertStringIncludes(
        assertThrows(() => parseExpose(`${host}:8080:80`), TypeError).message,
        "is not this machine",
      );
    }
  });
});

describe("choosePorts", () => {
  const port = (port: number, name: string, agentPort = port) => ({
    port,
    name,
    agentPort,
    containerPortName: undefined,
    tls: false,
  });
  const chosen = (ports: ReturnType<typeof port>[], ...exposes: string[]) =>
    choosePorts("orders", ports, exposes.map(parseExpose)).map(({ port, program }) => [program.port, port.port]);

  it("takes the only port, the same port, or the one that is named", () => {
    assertEquals(chosen([port(80, "")], "8080"), [[8080, 80]]);
    assertEquals(chosen([port(80, "web"), port(9000, "raw")], "9000"), [[9000, 9000]]);
    assertEquals(chosen([port(80, "web"), port(9000, "raw")], "1:raw", "2:80"), [[1, 9000], [2, 80]]);
  });

  it("lists the ports where it cannot know", () => {
    for (const expose of ["8080", "8080:81", "8080:http"]) {
      const { message } = assertThrows(() => chosen([port(80, "web"), port(9000, "")], expose), Failure);
      assertStringIncludes(message, "80 (web), 9000");
    }
    assertThrows(() => chosen([port(80, "a", 8080), port(81, "b", 8080)], "1:80", "2:81"), Failure, "once");
  });

  it("gives advice as the port was written", () => {
    const ports = [port(80, "web"), port(9000, "raw")];
    const asked = (before?: string) =>
      assertThrows(() => choosePorts("orders", ports, [{ ...parseExpose("8080"), before }]), Failure).message;
    assertMatch(asked(), /: write --expose 8080:80$/);
    assertMatch(asked("--exchange orders:"), /: write --exchange orders:8080:80$/);
  });
});
