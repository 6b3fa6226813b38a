import { toggle } from "../flag.ts";
import { agentFlags } from "./inbound_flags.ts";

/** The flags of every command that can dial from inside the cluster. */
export const relayFlags = {
  relay: toggle(
    "dial from a pod inside, which reaches what a port-forward cannot: outside names, UDP, half-closed connections; the pod goes when you do",
  ),
  ...agentFlags,
};
