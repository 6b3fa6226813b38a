import { aborted } from "../platform/interrupt.ts";
import type { CliDeps } from "./deps.ts";
import { describeFarewell } from "./describe_farewell.ts";
import type { RaisedInbound } from "./raise_inbound.ts";

/**
 * Puts everything back and says how that went; false where a service could not be put back. An interrupt leaves it at once: rejects with an `Interrupted`.
 */
export async function closeInbounds(
  raised: readonly RaisedInbound[],
  { terminal, watchInterrupts }: Pick<CliDeps, "terminal" | "watchInterrupts">,
): Promise<boolean> {
  const services = raised.map(({ request }) => `"${request.service}"`).join(", ");
  const finish = raised.map(({ request }) => `hawser recover ${request.service} -n ${request.namespace}`).join("; ");
  const interrupts = watchInterrupts();
  try {
    terminal.tell(`Putting back ${services}… (Ctrl-C leaves at once; this finishes it then: ${finish})`);
    const closing = Promise.allSettled(raised.map(async ({ request, inbound }) => {
      terminal.tell(describeFarewell(await inbound.close(), request));
    }));
    const closed = await Promise.race([closing, aborted(interrupts.signal)]);
    const failures = closed.filter((result) => result.status === "rejected");
    for (const { reason } of failures) terminal.tell(`hawser: ${reason instanceof Error ? reason.message : reason}`);
    return failures.length === 0;
  } catch (error) {
    if (interrupts.signal.aborted) {
      terminal.tell(`Left as it is: requests go to the original pods. This finishes it: ${finish}`);
    }
    throw error;
  } finally {
    interrupts.close();
  }
}
