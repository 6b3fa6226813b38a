import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Attempt, judge } from "../../../scripts/matrix/judge.ts";
import type { Layer } from "../../../scripts/matrix/layer.ts";
import type { Program } from "../../../scripts/matrix/program.ts";

const weak: Layer = { name: "weak", flags: [], default: true };
const strong: Layer = { name: "strong", flags: [], default: true };
const asked: Layer = { name: "asked", flags: [], default: false };

const program: Program = {
  family: "Family",
  runtime: "Runtime",
  clients: ["client"],
  words: () => [],
  answers: "lines",
  layers: [weak, strong, asked],
};

/** The client is right by these; undefined is without hawser. */
function by(...right: readonly (Layer | undefined)[]): Attempt {
  return (clients, layer) => {
    const said = right.includes(layer) ? "42" : "!refused";
    return Promise.resolve(new Map(clients.map((client) => [client, { right: said === "42", milliseconds: 7, said }])));
  };
}

async function verdict(attempt: Attempt) {
  const [first] = await judge(program, attempt);
  return { by: first?.by, wrong: first?.wrong };
}

describe("judge", () => {
  it("names all layers that do it, in their order", async () => {
    assertEquals(await verdict(by(asked, strong)), { by: [strong, asked], wrong: undefined });
  });

  it("takes a client that only a layer on request reaches", async () => {
    assertEquals(await verdict(by(asked)), { by: [asked], wrong: undefined });
  });

  it("takes nothing for proved of a client that needs no hawser", async () => {
    assertEquals((await verdict(by(undefined, weak, strong))).wrong, "finds the server without hawser");
  });

  it("tells what was said by each layer where none does it", async () => {
    assertEquals((await verdict(by())).wrong, "weak: !refused; strong: !refused; asked: !refused");
  });

  it("faults a default layer that breaks what one before it does", async () => {
    assertStringIncludes(String((await verdict(by(weak, asked))).wrong), "strong: !refused");
  });
});
