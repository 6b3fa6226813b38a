/** The agent's program, one file of JavaScript for Node 18 and later and for Deno. Made by `scripts/agent_bundle.ts`. */
export async function agentSource(): Promise<string> {
  const { default: source } = await import("./agent.generated.js", { with: { type: "text" } });
  return source;
}
