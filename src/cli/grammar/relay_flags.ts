import { toggle } from "../flag.ts";
import { givenBy, type IdleFlags } from "../idle_flags.ts";
import { agentFlags } from "./inbound_flags.ts";

/** The flags of every command that can dial from inside the cluster. */
export const relayFlags = {
  relay: toggle(
    "dial from a pod inside, which reaches what a port-forward cannot: outside names, UDP, half-closed connections; the pod goes when you do",
  ),
  ...agentFlags,
};

/** For commands that have an agent made for the relay alone. */
export const idleWithoutRelay: IdleFlags = {
  flags: Object.keys(agentFlags),
  reason: (given) => givenBy(given, "relay") ? undefined : "is for the relay's pod: add --relay",
};
