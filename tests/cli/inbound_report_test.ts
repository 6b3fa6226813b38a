import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeInbound, type InboundReport } from "../../src/cli/inbound_report.ts";
import { parseMatch } from "../../src/inbound/mark.ts";

const exchange: InboundReport = {
  kind: "exchange",
  namespace: "dev",
  service: "orders",
  owner: "alice@one",
  match: [],
  mark: "",
  ports: [{ port: 80, name: "http", local: "127.0.0.1", localPort: 8080 }],
  originPorts: [],
  others: [],
  agent: "orders-hawser",
  origin: "orders-hawser-origin",
  restarted: [],
  warnings: [],
};

function meshed(...conditions: string[]): string[] {
  const match = conditions.map(parseMatch);
  return describeInbound({ ...exchange, kind: "mesh", match, mark: "…" }).split("\n");
}

describe("describeInbound", () => {
  it("says that all requests come here only where all ports do, and names those that do not", () => {
    assertStringIncludes(describeInbound(exchange), 'All requests of service "orders" come here, in namespace dev');
    const text = describeInbound({ ...exchange, originPorts: [{ port: 9090, name: "admin" }] });
    assertStringIncludes(text, 'All requests for port 80 of service "orders" come here, in namespace dev');
    assertStringIncludes(text, "  9090 admin  -> the original pods, as before\n");
  });

  it("gives a line to try that works as typed on the laptop", () => {
    assertStringIncludes(describeInbound(exchange), "Try it:  hawser run -n dev -- curl http://orders/\n");
  });

  it("builds that line from every condition that says what it wants", () => {
    const line = (...conditions: string[]) => meshed(...conditions).find((each) => each.startsWith("Try it:"));
    assertEquals(line("header=x-debug:on"), "Try it:  hawser run -n dev -- curl -H 'x-debug: on' http://orders/");
    assertEquals(line("cookie=user:alice"), "Try it:  hawser run -n dev -- curl -b user=alice http://orders/");
    assertEquals(line("path=^/api", "query=v:a b"), "Try it:  hawser run -n dev -- curl 'http://orders/api?v=a%20b'");
    assertEquals(line("header=x:it's"), "Try it:  hawser run -n dev -- curl -H 'x: it'\\''s' http://orders/");
    assertEquals(line("header=x:~a|b"), undefined);
  });

  it("prints Istio objects of which two developers' do not overwrite each other", () => {
    const objects = (value: string) => {
      const label = { key: "version", value };
      const text = describeInbound({ ...exchange, kind: "mesh", variant: "manual", among: "orders", label });
      return text.split("---").map((each) => each.replaceAll(/^ +/gm, ""));
    };
    const [blue = "", others, service = ""] = objects("blue");
    const [green = "", same] = objects("green");
    assertStringIncludes(blue, "metadata: { name: orders-blue, namespace: dev }");
    assertFalse(green.includes("orders-blue"));
    assertEquals(same, others);
    assertStringIncludes(service, "Where there is one already, add the entry");
  });
});
