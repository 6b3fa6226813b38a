import { aborted, type InterruptWatch } from "../platform/interrupt.ts";
import type { CliDeps } from "./deps.ts";
import { describeFarewell } from "./describe_farewell.ts";
import type { RaisedInbound } from "./raise_inbound.ts";

/**
 * Puts everything back and says how that went; false where a service could not be put back. An interrupt leaves it at once: the first rejects
 * with an `Interrupted`, a second one ends the process, as `InterruptWatch` has it, so that what there is to know then is said before. Where Windows ends the console, all is done
 * within the seconds that it leaves.
 */
export async function closeInbounds(
  raised: readonly RaisedInbound[],
  { signal, ending }: Pick<InterruptWatch, "signal" | "ending">,
  { terminal }: Pick<CliDeps, "terminal">,
): Promise<boolean> {
  const services = unique(raised.map(({ request }) => `"${request.service}"`)).join(", ");
  const finish = unique(
    raised.map(({ request: { service, namespace } }) => `hawser recover ${service} -n ${namespace}`),
  )
    .join("; ");
  const doing = raised.every(({ request }) => request.kind === "preview") ? "Taking away" : "Putting back";
  const leaves = signal.aborted ? "Ctrl-C again leaves at once" : "Ctrl-C leaves at once";
  const state = raised.every(({ inbound }) => inbound.plan.origin) ? "requests go to the original pods" : "";
  const first = signal.aborted ? [] : [aborted(signal)];
  try {
    terminal.tell(`${doing} ${services}… (${leaves}${state && `: ${state} then`}; this finishes it: ${finish})`);
    const closing = Promise.allSettled(raised.map(async ({ request, inbound }) => {
      const farewell = await inbound.close(ending);
      const more = raised.some((each) => each.request !== request && each.request.service === request.service);
      const others = more ? farewell.others.filter((name) => name !== request.owner.name) : farewell.others;
      if (!farewell.restored && others.length === 0) return; // the last part of ours tells how it ended
      terminal.tell(describeFarewell({ ...farewell, others }, request));
    }));
    const closed = await Promise.race([closing, ...first]);
    const failures = closed.filter((result) => result.status === "rejected");
    for (const { reason } of failures) terminal.tell(`hawser: ${reason instanceof Error ? reason.message : reason}`);
    return failures.length === 0;
  } catch (error) {
    if (signal.aborted) terminal.tell(`Left as it is${state && `: ${state}`}. This finishes it: ${finish}`);
    throw error;
  }
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
