import { parseVersionLabel } from "../inbound/version_label.ts";
import type { CliDeps } from "./deps.ts";
import type { MeshInvocation } from "./grammar/mesh.ts";
import { inbound } from "./inbound.ts";
import { madeUpVersion } from "./made_up_version.ts";
import { marks } from "./marks.ts";
import { understood } from "./understood.ts";
import { UsageError } from "./usage_error.ts";

/** `hawser mesh`. */
export function mesh({ options, words: [word = ""] }: MeshInvocation, deps: CliDeps): Promise<number> {
  const { fallback, insist, cut } = options;
  if (options.mode === "manual") {
    if (options.match.length > 0 || cut) {
      throw new UsageError(
        "With --mode manual a router chooses which requests come: --match and --cut have no meaning there",
        "mesh",
      );
    }
    const label = understood("mesh", () => parseVersionLabel(options.versionMark ?? madeUpVersion()));
    const variant = { kind: "manual", label } as const;
    return inbound({ kind: "mesh", word, match: [], fallback, insist, cut, variant }, options, deps);
  }
  const match = understood("mesh", () => marks(options));
  return inbound({ kind: "mesh", word, match, fallback, insist, cut }, options, deps);
}
