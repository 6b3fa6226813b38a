/** The files that programs load to find the cluster, carried as text and read only where they are wanted. */
export const hookSources = {
  async node(): Promise<Uint8Array> {
    const { default: text } = await import("./node_hook.cjs", { with: { type: "text" } });
    return new TextEncoder().encode(text);
  },
  async python(): Promise<Uint8Array> {
    const { default: text } = await import("./python_hook/sitecustomize.py", { with: { type: "text" } });
    return new TextEncoder().encode(text);
  },
  /** A jar. */
  async java(): Promise<Uint8Array> {
    const { default: text } = await import("./java_agent.generated.js", { with: { type: "text" } }); // base64
    return Uint8Array.fromBase64(text);
  },
};
