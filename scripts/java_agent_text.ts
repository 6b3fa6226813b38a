/**
 * Writes `src/wiring/java_agent/hawser-agent.jar` as base64 to `src/wiring/java_agent.generated.js`: whoever imports that file as text
 * carries the agent. `scripts/with_deps.ts` calls it before everything it runs.
 *
 * @module
 */
const root = `${import.meta.dirname}/..`;
const out = `${root}/src/wiring/java_agent.generated.js`;

/** Writes the file where it is not there or not that of the jar. */
export async function writeJavaAgentText(): Promise<void> {
  const text = (await Deno.readFile(`${root}/src/wiring/java_agent/hawser-agent.jar`)).toBase64();
  if (await Deno.readTextFile(out).catch(() => undefined) === text) return;
  // Commands that run side by side may all make it: each its own, put in place in one step.
  const temporary = `${out}.${Deno.pid}`;
  await Deno.writeTextFile(temporary, text);
  await Deno.rename(temporary, out);
}
