import type { Match } from "../agent/protocol.ts";
import { parseServiceExpose } from "../inbound/parse_service_expose.ts";
import { marks } from "./marks.ts";
import type { RunInvocation } from "./grammar/run.ts";
import type { InboundWish } from "./raise_inbound.ts";
import { tellsInfo } from "./tells_info.ts";
import { understood } from "./understood.ts";
import { UsageError } from "./usage_error.ts";

/** What `--exchange` and `--mesh` of `hawser run` ask for: one wish for each service and kind; all meshes have one mark. Throws a {@linkcode UsageError}. */
export function inboundWishes(options: RunInvocation["options"]): readonly InboundWish[] {
  const { exchange, mesh, versionMark, match, fallback, insist, cut, agentImage, imagePullSecret } = options;
  if (mesh.length === 0 && (versionMark !== undefined || match.length > 0)) {
    throw new UsageError(
      "--version-mark and --match say what --mesh takes: name a service by --mesh SERVICE:LOCAL",
      "run",
    );
  }
  if (mesh.length + exchange.length === 0) return [];
  const image = { image: agentImage, pullSecrets: imagePullSecret };
  const common = { fallback, insist, cut, image, observe: tellsInfo(options.logLevel) };
  const mark = mesh.length > 0 ? understood("run", () => marks(options)) : [];
  const wishes = new Map<string, InboundWish>();
  const add = (kind: "exchange" | "mesh", text: string, match: readonly Match[]) => {
    const { target, expose } = understood("run", () => parseServiceExpose(text));
    const key = `${kind} ${target.kind}/${target.name}`;
    const before = `--${kind} ${text.slice(0, text.indexOf(":") + 1)}`;
    const exposes = [...wishes.get(key)?.exposes ?? [], { ...expose, before }];
    wishes.set(key, { kind, target, exposes, match, ...common });
  };
  for (const text of exchange) add("exchange", text, []);
  for (const text of mesh) add("mesh", text, mark);
  return [...wishes.values()];
}
