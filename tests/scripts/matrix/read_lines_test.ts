import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readLines } from "../../../scripts/matrix/read_lines.ts";

describe("readLines", () => {
  it("reads answers and reasons by client", () => {
    assertEquals(
      readLines("OkHttp\t12\t42\r\nJedis\t5\t!refused\n"),
      new Map([
        ["OkHttp", { right: true, milliseconds: 12, said: "42" }],
        ["Jedis", { right: false, milliseconds: 5, said: "!refused" }],
      ]),
    );
  });

  it("takes no other answer than 42", () => {
    assertEquals(readLines("pg\t1\t142\n").get("pg")?.right, false);
  });

  it("leaves out what libraries print beside", () => {
    assertEquals(readLines("SLF4J: no providers\n\nA\tB\na\tb\tc\td\n"), new Map());
  });
});
