import { Failure } from "../platform/failure.ts";
import type { Plan, PlannedPort } from "./plan.ts";

/** Throws a {@linkcode Failure} that lists the ports of a Service which no program here answers: there are no original pods to pass them on to. */
export function mustExposeAll(service: string, plan: Plan, exposed: readonly PlannedPort[]): void {
  const open = plan.ports.filter((port) => !exposed.some(({ agentPort }) => agentPort === port.agentPort));
  if (open.length === 0) return;
  const list = open.map(({ port, name }) => name === "" ? `${port}` : `${port} (${name})`).join(", ");
  throw new Failure(
    `The agent is to stand in for whole pods, and nothing here would answer ${
      open.length > 1 ? "the ports" : "port"
    } ${list} of service "${service}": expose ${open.length > 1 ? "each of them" : "it"}, too, as in --expose LOCAL:${
      open[0]?.port
    }`,
  );
}
