import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseForwards } from "../../src/cli/parse_forwards.ts";
import { UsageError } from "../../src/cli/usage_error.ts";

/** As compact text: `mysql[3306<3306]`. */
function read(line: string): string {
  return parseForwards(line.split(" ")).map(({ target, ports }) =>
    `${target.kind === "host" ? target.host : `${target.workload.kind}/${target.workload.name}`}[${
      ports.map(({ local, remote, network }) => `${local ?? "any"}<${remote}${network === "udp" ? "/udp" : ""}`).join(
        " ",
      )
    }]`
  ).join(" ");
}

describe("parseForwards", () => {
  it("reads kubectl's spellings", () => {
    assertEquals(read("mysql 3306"), "mysql[3306<3306]");
    assertEquals(read("deploy/api 8080:http"), "deployment/api[8080<http]");
    assertEquals(read("pod/x :5005"), "pod/x[any<5005]");
    assertEquals(read("svc/mysql 0:3306"), "mysql[any<3306]");
    assertEquals(read("orders.other 9000:80 9001:81"), "orders.other[9000<80 9001<81]");
  });

  it("takes one local port for TCP and for UDP", () => {
    assertEquals(parseForwards(["x", "53", "53/udp"])[0]?.ports.length, 2);
  });

  it("reads UDP as kubectl writes protocols", () => {
    assertEquals(read("dns 53/udp 5353:53/udp :dns/udp 80/tcp"), "dns[53<53/udp 5353<53/udp any<dns/udp 80<80]");
  });

  it("reads several targets, addresses among them, and targets without ports", () => {
    assertEquals(read("mysql 3306 redis sts/db :5432"), "mysql[3306<3306] redis[] statefulset/db[any<5432]");
    assertEquals(read("10.244.0.7 80 fd00::7 81"), "10.244.0.7[80<80] fd00::7[81<81]");
  });

  it("refuses what is no port and no target", () => {
    const cases: [string, string][] = [
      ["80", 'Before port "80" there must be a target'],
      ["x 0", "must be a port from 1 to 65535"],
      ["x 70000:80", "must be a port from 1 to 65535"],
      ["x 80:70000", "must be a port from 1 to 65535"],
      ["x 80:", "is no port"],
      ["x a:80", "is no port"],
      ["x 1:2:3", "is no port"],
      ["x 90:80 y 90:81", "Local port 90 is asked for twice"],
      ["deploi/x 80", 'Did you mean "deploy"?'],
      ["deploy/ 80", '"deploy/"'],
    ];
    for (const [line, expected] of cases) {
      assertStringIncludes(assertThrows(() => read(line), UsageError).message, expected, line);
    }
  });

  it("never fails other than by saying what is wrong", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: fc.constantFrom(..."a8/:.-") }), { minLength: 1 }), (words) => {
      try {
        parseForwards(words);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }));
  });
});
