import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { describe, it } from "@std/testing/bdd";

describe("parseArgs", () => {
  it("gives a flag the next word, or what follows the equals sign", () => {
    const args = parseArgs(["--name", "a", "--other=b=c"], { string: ["name", "other"] });
    const name: string | undefined = args.name;
    assertEquals(name, "a");
    assertEquals(args.other, "b=c");
  });
});
