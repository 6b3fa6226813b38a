import { ApiError } from "../cluster/api.ts";
import { type Candidate, chooseEndpoints } from "../cluster/choose_endpoints.ts";
import type { Directory, Endpoint, Service } from "../cluster/directory.ts";
import { explainNoReadyPod } from "../cluster/no_ready_pod.ts";
import { DialError } from "./dialer.ts";

/** The endpoints to which a TCP connection to a port of a service may go, at least one. Rejects with a {@linkcode DialError} that says why there is none. */
export async function findCandidates(
  service: Service,
  port: number,
  directory: Pick<Directory, "endpoints" | "pods">,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const endpoints = await known(service, directory, signal);
  const choice = chooseEndpoints(service, port, endpoints);
  if (choice.kind === "candidates") return choice.candidates;
  if (choice.kind !== "not-ready") throw new DialError(choice.kind, choice.message);
  const pods = await directory.pods(service, signal);
  throw new DialError("not-ready", explainNoReadyPod(service, port, endpoints, pods));
}

async function known(
  service: Service,
  directory: Pick<Directory, "endpoints">,
  signal: AbortSignal,
): Promise<readonly Endpoint[]> {
  try {
    return await directory.endpoints(service, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    throw new DialError("forbidden", error.message, { cause: error });
  }
}
