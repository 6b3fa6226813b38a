import { choice } from "../flag.ts";

/** The flags that say how programs are wired beside the proxy's variables. */
export const wiringFlags = {
  java: choice(
    ["agent", "props", "off"],
    "agent",
    "how Java programs find the cluster: by an agent in each JVM, by system properties, or not at all",
  ),
  node: choice(
    ["hook", "off"],
    "hook",
    "how sockets of Node programs find it: by a hook that Node loads first, or not at all",
  ),
  python: choice(["hook", "off"], "off", "the same for Python programs, but for libraries written in C"),
};
