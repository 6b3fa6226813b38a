import { choice } from "../flag.ts";

/** The flag for programs that nothing else reaches; Linux alone has it. */
export const isolationFlag = {
  isolate: choice(
    ["net", "auto", "none"],
    "none",
    "give the program a network of its own, in which every address and name leads through hawser; Linux only. auto: where the system allows it",
  ),
};

/** What the flags for hooks are under isolation: the network itself leads to the cluster, and addresses that hooks make up do not. */
export const hooksOff = { java: "off", node: "off", python: "off" } as const;
