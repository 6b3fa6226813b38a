import { join } from "node:path";
import { succeed } from "./command.ts";
import { workshop } from "./prepared.ts";

/** How Maven is started here: with a repository of the matrix's own. */
export const maven = ["mvn", "-q", "-B", `-Dmaven.repo.local=${join(workshop, "maven")}`] as const;

/** Downloads what a project depends on, all of it, into a folder. */
export async function downloadDependencies(pom: string, folder: string): Promise<void> {
  const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${folder}`];
  await succeed([...maven, "-f", pom, ...goal]);
}
