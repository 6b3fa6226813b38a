import { standardImage } from "../../inbound/agent_image.ts";
import { choice, text, texts, toggle } from "../flag.ts";

/** The flags of every command that has an agent made. */
export const agentFlags = {
  "agent-image": text("IMAGE", standardImage, "image for the agent's pod: any with Node 18 or newer, or Deno"),
  "image-pull-secret": texts("NAME,…", "secrets of the namespace with which that image may be pulled"),
};

/** The flags of every command that is all about bringing the cluster's traffic here. */
export const inboundFlags = {
  expose: texts(
    "[HOST:]LOCAL[:PORT]",
    "the port here that answers, and the service's port by number or name where there are several; again for more ports",
    { setting: false },
  ),
  ...agentFlags,
};

/** The flags of commands that divert a service that exists. */
export const divertingFlags = {
  fallback: choice(
    ["origin", "error"],
    "origin",
    "what answers while no program listens here: the original pods, or an error 502",
  ),
  cut: toggle(
    "restart the original pods one after another, as kubectl rollout restart does, so that callers open new connections",
    { setting: false },
  ),
  insist: toggle("divert the service again where somebody else changes its selector meanwhile", { setting: false }),
};

/** The flags that say which requests a mesh takes. */
export const markFlags = {
  "version-mark": text("[HEADER:]VALUE", undefined, "the header that marks requests; HEADER is VERSION by default", {
    setting: false,
  }),
  match: texts("CONDITION", "what a request must have; again for more, all of which must hold", { setting: false }),
};
