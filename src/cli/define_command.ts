import type { Action, Command, GivenValues, Grammar, Options } from "./command.ts";
import type { Flags } from "./flag.ts";
import { globalFlags } from "./global_flags.ts";
import { refuseIdleFlags } from "./idle_flags.ts";

/** Joins a grammar to its action, which is loaded only when the command runs: so `hawser version` does not pay for the cluster's code. */
export function defineCommand<F extends Flags>(grammar: Grammar<F>, load: () => Promise<Action<F>>): Command {
  return {
    ...grammar,
    async run(given, words, deps) {
      refuseIdleFlags(grammar.idle ?? [], given, words);
      const options = readOptions({ ...grammar.flags, ...globalFlags }, given);
      return await (await load())({ options, words }, deps);
    },
  };
}

/** What the given values mean. Throws a `UsageError` for the first that does not fit its flag. */
export function readOptions<F extends Flags>(flags: F, given: GivenValues): Options<F> {
  const entries = Object.entries(flags).map(([name, flag]) => {
    const { texts, origin } = given.get(name) ?? { texts: [], origin: `--${name}` };
    return [camelCase(name), flag.read(texts, origin)];
  });
  return Object.fromEntries(entries) as Options<F>; // the keys and values just made are those that Options<F> lists
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
