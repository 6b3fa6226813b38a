import { assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Verdict } from "../../../scripts/matrix/judge.ts";
import { isolation, javaAgent } from "../../../scripts/matrix/layer.ts";
import { table } from "../../../scripts/matrix/table.ts";

function verdict(runtime: string, client: string, wrong?: string): Verdict {
  return { family: "Java", runtime, client, by: [javaAgent, isolation], milliseconds: 1, wrong };
}

describe("table", () => {
  it("names the layers in each cell, and what is wrong as a no", () => {
    const text = table([verdict("Java 8", "OkHttp"), verdict("Java 8", "Jedis", "refused")]);
    assertStringIncludes(text, "| Java | Java 8 |\n|---|---|\n| OkHttp | agent, isolation |\n| Jedis | **no** |\n");
  });

  it("puts a client that a runtime lacks where the others have it", () => {
    const text = table([
      verdict("Java 8", "OkHttp"),
      verdict("Java 11", "java.net.http"),
      verdict("Java 11", "OkHttp"),
    ]);
    assertStringIncludes(
      text,
      "| java.net.http | – | agent, isolation |\n| OkHttp | agent, isolation | agent, isolation |",
    );
  });

  it("has one column for runtimes that are alike", () => {
    const text = table([verdict("Java 8", "OkHttp"), verdict("Java 11", "OkHttp")]);
    assertStringIncludes(text, "| Java | Java 8, Java 11 |\n|---|---|\n| OkHttp | agent, isolation |\n");
  });
});
