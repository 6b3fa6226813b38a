/** The files that programs load to find the cluster, carried as text and read only where they are wanted. */
export const hookSources = {
  async node(): Promise<Uint8Array> {
    const { default: text } = await import("./node_hook.cjs", { with: { type: "text" } });
    return new TextEncoder().encode(text);
  },
};
