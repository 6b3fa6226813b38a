import { fileURLToPath } from "node:url";
import { succeed } from "./command.ts";
import { isolation, rewriting, variables } from "./layer.ts";
import { prepared } from "./prepared.ts";
import type { Program } from "./program.ts";

const sources = fileURLToPath(new URL("programs/go", import.meta.url));

/** `clients.go` knows each by this name. */
const clients = ["net/http", "lib/pq", "go-sql-driver/mysql", "net, pod's name", "net, pod's IP"];

/** Libraries of Go in a static program, into which nothing can be loaded. */
export async function goPrograms(): Promise<Program[]> {
  const names = ["clients.go", "go.mod", "go.sum"];
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${sources}/${name}`)));
  const folder = await prepared("go", texts.join("\n"), async (folder) => {
    const go = ["go", "build", "-C", sources, "-o", `${folder}/clients`];
    await succeed(["env", "CGO_ENABLED=0", ...go]);
  });
  return [{
    family: "Go",
    runtime: "Go, static",
    clients,
    words: (clients) => [`${folder}/clients`, ...clients],
    answers: "lines",
    layers: [variables, rewriting, isolation],
  }];
}
