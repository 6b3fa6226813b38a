import { choice } from "../flag.ts";

/** The flags that say how programs are wired beside the proxy's variables. */
export const wiringFlags = {
  node: choice(
    ["hook", "off"],
    "hook",
    "how sockets of Node programs find the cluster: by a hook that Node loads first, or not at all",
  ),
};
