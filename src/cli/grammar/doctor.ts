import { type Grammar, type Invocation, noWords } from "../command.ts";
import { toggle } from "../flag.ts";

/** How `hawser doctor` is spelled. */
export const doctorGrammar = {
  name: "doctor",
  summary: "check everything hawser needs, and say what to do about the rest",
  description:
    "Checks the kubeconfig, credentials, the way to the API server, permissions, streaming through it, and this machine, one by one. Exits with 1 when a check fails.",
  words: noWords,
  flags: {
    rbac: toggle("print the Role to ask an administrator for, as YAML, and check nothing", { setting: false }),
    inbound: toggle("with what exchange, mesh and preview need, too", { setting: false }),
    scale: toggle("with what exchange --mode scale needs, too", { setting: false }),
    ingress: toggle("with what preview --external ingress needs, too", { setting: false }),
    environment: toggle("with what run --env-from and --files-from need, too", { setting: false }),
    relay: toggle("with what --relay needs, too", { setting: false }),
  },
  examples: [
    { line: "hawser doctor -n dev", what: "check namespace dev" },
    { line: "hawser doctor --rbac -n dev | kubectl apply -f -", what: "an administrator grants what is needed" },
    { line: "hawser doctor --rbac --inbound -n dev", what: "the Role for exchange, mesh and preview as well" },
  ],
} satisfies Grammar;

/** `hawser doctor`, read. */
export type DoctorInvocation = Invocation<typeof doctorGrammar.flags>;
