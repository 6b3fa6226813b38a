import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { hostsFile } from "../../src/wiring/hosts_file.ts";
import { hostsLines } from "../../src/wiring/hosts_lines.ts";

const where = { namespace: "dev", zone: "cluster.local" };

function port(service: string, namespace: string, port: number, address: string, localPort = port) {
  return { service, namespace, port, address, localPort };
}

describe("hostsFile", () => {
  it("has every name of a service whose ports are all at its own address, the short one in the namespace in use alone", () => {
    const listeners = [
      port("orders", "dev", 8080, "127.77.1.2"),
      port("orders", "dev", 9090, "127.77.1.2"),
      port("mysql", "shared", 3306, "127.77.3.4"),
    ];
    assertEquals(hostsFile(listeners, where), {
      entries: [
        { address: "127.77.1.2", names: ["orders", "orders.dev", "orders.dev.svc", "orders.dev.svc.cluster.local"] },
        { address: "127.77.3.4", names: ["mysql.shared", "mysql.shared.svc", "mysql.shared.svc.cluster.local"] },
      ],
      rest: [],
    });
  });

  it("leaves out a service with a single port that is elsewhere", () => {
    const listeners = [port("web", "dev", 80, "127.0.0.1", 21_000), port("web", "dev", 8080, "127.77.5.6")];
    const file = hostsFile([...listeners, port("db", "dev", 5432, "127.0.0.1")], where);
    assertEquals(file.entries, []);
    assertEquals(file.rest.length, 3);
    assertEquals(hostsLines(file).split("\n").map((line) => line.split("numbers: ")[1]), [
      "80 is 127.0.0.1:21000, 8080 is 127.77.5.6:8080",
      "5432 is 127.0.0.1:5432",
    ]);
  });

  it("keeps services of one name in two namespaces apart", () => {
    const file = hostsFile([port("db", "dev", 1, "127.77.0.1"), port("db", "shared", 1, "127.77.0.2")], where);
    assertEquals(file.entries.map(({ names }) => names[0]), ["db", "db.shared"]);
  });
});
