import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { PodObject } from "./pod_object.ts";
import { startPractice } from "./practice.ts";
import { stock } from "./stock.ts";

describe("the stock scene", () => {
  it("is what it says", async () => {
    await using practice = await startPractice();
    await practice.apply(...stock());
    const ask = async (host: string, port: number, request: string) => {
      const connection = await practice.dialFromPod(host, port, { namespace: "dev" });
      await connection.write(new TextEncoder().encode(request));
      return await new Response(connection.readable).text();
    };
    const http = "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (const [host, port] of [["orders", 80], ["stock", 80], ["web-1.web", 8080], ["partner", 80]] as const) {
      const { path, name } = JSON.parse((await ask(host, port, http)).split("\r\n\r\n")[1]!);
      assertEquals([path, name], ["/who", host === "web-1.web" ? "web" : host === "partner" ? "orders" : host]);
    }
    assertEquals((await ask("mysql", 3306, "hello\n")).split(" ")[0], "mysql");
    for (const host of ["search", "billing", "report", "manual"]) {
      await assertRejects(() => practice.dialFromPod(`${host}.dev`, 80), Deno.errors.ConnectionRefused);
    }
    const ready = practice.list<PodObject>("pods").filter((pod) => pod.status.phase === "Running").map((pod) => {
      return `${pod.metadata.namespace}/${pod.metadata.labels?.app}`;
    });
    const running = {
      "dev/billing": 1,
      "dev/mysql": 1,
      "dev/orders": 2,
      "dev/search": 1,
      "dev/stock": 2,
      "dev/web": 2,
      "shop/orders": 1,
    };
    const counted: Record<string, number> = {};
    for (const name of ready.sort()) counted[name] = (counted[name] ?? 0) + 1;
    assertEquals(counted, running);
  });
});
