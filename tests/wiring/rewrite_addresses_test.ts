import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { rewriteAddresses } from "../../src/wiring/rewrite_addresses.ts";

const known: Readonly<Record<string, number>> = {
  orders: 80,
  mysql: 3306,
  redis: 6379,
  "kafka.mq": 9092,
  rabbit: 5672,
};

/** As where only 127.0.0.1 can be had: each port another one, all higher by 20,000. Knows ClusterIPs and names in any case, too. */
function listenerOf(host: string, port: number) {
  const name = host.toLowerCase().replace(/\.dev\.svc(\.cluster\.local)?\.?$/, "");
  const service = name === "10.96.0.7" || name === "fd00::7" ? "orders" : name;
  return known[service] === port ? { host: "127.0.0.1", port: port + 20_000 } : undefined;
}

function rewrite(value: string): string {
  return rewriteAddresses(value, listenerOf);
}

describe("rewriteAddresses", () => {
  for (
    const [value, wanted] of [
      ["jdbc:mysql://mysql:3306/shop?useSSL=false", "jdbc:mysql://127.0.0.1:23306/shop?useSSL=false"],
      ["jdbc:mysql://mysql/shop", "jdbc:mysql://127.0.0.1:23306/shop"],
      ["r2dbc:pool:mysql://u:p@mysql/shop", "r2dbc:pool:mysql://u:p@127.0.0.1:23306/shop"],
      [
        "jdbc:mysql:loadbalance://mysql:3306,mysql:3306/x",
        "jdbc:mysql:loadbalance://127.0.0.1:23306,127.0.0.1:23306/x",
      ],
      ["redis://:p@ss@redis/0", "redis://:p@ss@127.0.0.1:26379/0"],
      ["amqp://orders:80@rabbit:5672/%2f", "amqp://orders:80@127.0.0.1:25672/%2f"],
      ["http://orders/", "http://127.0.0.1:20080/"],
      ["HTTP://Orders.dev.svc.cluster.local.:80", "HTTP://127.0.0.1:20080"],
      ["http://10.96.0.7/a,http://[fd00::7]:80/b", "http://127.0.0.1:20080/a,http://127.0.0.1:20080/b"],
      ["kafka.mq:9092, kafka.mq:9092;other:1", "127.0.0.1:29092, 127.0.0.1:29092;other:1"],
      ["http://orders,stock:80", "http://127.0.0.1:20080,stock:80"],
      ["SASL_PLAINTEXT://kafka.mq:9092,SSL://kafka.mq:9092", "SASL_PLAINTEXT://127.0.0.1:29092,SSL://127.0.0.1:29092"],
      ["root:secret@tcp(mysql:3306)/shop", "root:secret@tcp(127.0.0.1:23306)/shop"],
      ["redis:6379,password=x,ssl=False", "127.0.0.1:26379,password=x,ssl=False"],
      ["host=mysql user=u port=3306 dbname=x", "host=127.0.0.1 user=u port=23306 dbname=x"],
      ["Server=mysql;Port=3306;Uid=u", "Server=127.0.0.1;Port=23306;Uid=u"],
      ['{"url":"http://orders/x","db":"mysql:3306"}', '{"url":"http://127.0.0.1:20080/x","db":"127.0.0.1:23306"}'],
      ["proxy to http://orders/?next=http://orders/", "proxy to http://127.0.0.1:20080/?next=http://127.0.0.1:20080/"],
    ] as const
  ) {
    it(`rewrites ${value}`, () => assertEquals(rewrite(value), wanted));
  }

  for (
    const value of [
      "",
      "orders",
      "https://orders/",
      "http://orders:8080/",
      "http://orders.example.com/",
      "http://my-orders/",
      "http://example.com/orders:80",
      "mysql:8",
      "registry/mysql:3306",
      "user:mysql:3306@host",
      "mysql:3306@host",
      "mysql:33060",
      "xmysql:3306x",
      "mongodb+srv://mysql/",
      "http://orders:99999/",
      "127.0.0.1:3306",
      "host=mysql",
      "a=$(orders:80:x)",
    ]
  ) {
    it(`leaves ${value || "nothing"} alone`, () => assertEquals(rewrite(value), value));
  }

  const part = fc.constantFrom(
    ...[
      "http://",
      "jdbc:mysql://",
      "mysql",
      "orders",
      "10.96.0.7",
      "[fd00::7]",
      "127.0.0.1",
      "example.com",
      ":80",
      ":3306",
    ],
    ...[":20080", ",", ";", "/", "@", "?", "=", " ", "host=", "port=", "3306", "(", ")", '"', "u:p@", ".", "$"],
  );
  const values = fc.oneof(fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")), fc.string());

  it("changes nothing where nothing is known, whatever the value", () => {
    fc.assert(fc.property(values, (value) => assertEquals(rewriteAddresses(value, () => undefined), value)), {
      numRuns: 500,
    });
  });

  it("changes nothing but the addresses it was told, whatever the value", () => {
    fc.assert(
      fc.property(values, (value) => {
        const told: string[] = [];
        const marked = rewriteAddresses(value, (host, port) => {
          const found = listenerOf(host, port);
          if (found) told.push(host);
          return found && { host: "\ue000", port };
        });
        // What is left when the new addresses are cut out is left of the old value, too, in the same order.
        const kept = marked.split(/\ue000(?::\d+)?/);
        let at = 0;
        for (const piece of kept) {
          const found = value.indexOf(piece, at);
          assertEquals(found >= 0, true, JSON.stringify({ value, marked, piece }));
          at = found + piece.length;
        }
        assertEquals(told.length > 0 || marked === value, true);
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves what it has rewritten as it is", () => {
    fc.assert(fc.property(values, (value) => assertEquals(rewrite(rewrite(value)), rewrite(value))), { numRuns: 1000 });
  });

  it("takes no longer for hostile values than their length explains", () => {
    for (const piece of ["a:", "a.", "http://", "host= ", "-", "u@", "[::", "a,"]) {
      const value = piece.repeat(20_000);
      const started = performance.now();
      rewrite(value);
      assertEquals(performance.now() - started < 2000, true, piece);
    }
  });
});
