/** What an agent's pod is made with. */
export interface AgentImage {
  readonly image: string;
  /** Secrets of the namespace with which the image may be pulled. */
  readonly pullSecrets: readonly string[];
}

/** The image an agent runs in unless another is asked for: any with Node 18 or newer, or Deno, will do. */
export const standardImage = "docker.io/library/node:22-alpine";
