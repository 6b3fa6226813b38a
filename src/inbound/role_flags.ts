import type { CommandWithRights } from "../cluster/permissions.ts";

const beside: Partial<Readonly<Record<CommandWithRights, string>>> = {
  connect: "",
  run: "",
  "run --env-from": " --environment",
  forward: "",
  relay: " --relay",
  "exchange --mode scale": " --inbound --scale",
  "preview --external ingress": " --inbound --ingress",
};

/** What `hawser doctor --rbac` has to be given beside, so that it prints the Role for a command: ` --inbound`. */
export function roleFlags(command: CommandWithRights): string {
  return beside[command] ?? " --inbound";
}
