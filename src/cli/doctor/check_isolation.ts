import { probeIsolation } from "../../wiring/isolation/probe_isolation.ts";
import type { CliDeps } from "../deps.ts";
import { failed, type Finding, ok, warn } from "./finding.ts";

/** Whether programs can have a network of their own. */
export async function checkIsolation({ os, env }: Pick<CliDeps, "os" | "env">): Promise<Finding> {
  try {
    const probe = await probeIsolation({ os, env });
    return probe.possible
      ? ok("isolation", "run --isolate net can be used")
      : warn("isolation", `run --isolate net cannot be used: ${probe.reason}`);
  } catch (error) {
    return failed("isolation", error);
  }
}
