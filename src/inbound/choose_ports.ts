import { Failure } from "../platform/failure.ts";
import type { Expose } from "./expose.ts";
import type { LocalProgram } from "./local_program.ts";
import type { PlannedPort } from "./plan.ts";

/** A port of the Service and the program here that answers it. */
export interface ExposedPort {
  readonly port: PlannedPort;
  readonly program: LocalProgram;
}

/** Finds the Service's port for each `--expose`. Throws a {@linkcode Failure} that lists the ports where one does not exist, or is meant twice. */
export function choosePorts(
  service: string,
  ports: readonly PlannedPort[],
  exposes: readonly Expose[],
): readonly ExposedPort[] {
  const chosen = exposes.map(({ host, local, port: wanted, before = "--expose " }) => {
    const port = find(ports, wanted, local);
    if (!port) {
      const asked = wanted === undefined ? `Which port of it answers local port ${local}` : `It has no port ${wanted}`;
      throw new Failure(
        `Service "${service}" has the ports ${list(ports)}. ${asked}: write ${before}${local}:${
          ports[0]?.port ?? "PORT"
        }`,
      );
    }
    return { port, program: { hosts: host === undefined ? ["127.0.0.1", "::1"] : [host], port: local } };
  });
  const twice = chosen.find(({ port }, at) =>
    chosen.slice(0, at).some((other) => other.port.agentPort === port.agentPort)
  );
  if (twice) {
    throw new Failure(
      `Port ${twice.port.port} of service "${service}" leads where another exposed port leads: expose it once`,
    );
  }
  return chosen;
}

function find(
  ports: readonly PlannedPort[],
  wanted: number | string | undefined,
  local: number,
): PlannedPort | undefined {
  if (wanted !== undefined) return ports.find(({ port, name }) => port === wanted || name === wanted);
  return ports.length === 1 ? ports[0] : ports.find(({ port }) => port === local);
}

function list(ports: readonly PlannedPort[]): string {
  return ports.map(({ port, name }) => name === "" ? `${port}` : `${port} (${name})`).join(", ");
}
