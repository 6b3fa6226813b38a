import { eachText, text, toggle } from "../flag.ts";

/** The flags of every command that gives a program the variables that its container in the cluster has. */
export const variableFlags = {
  "env-from": text(
    "WORKLOAD[:CONTAINER]",
    undefined,
    "bring the variables of a container: deploy/x, sts/x, pod/x; ConfigMaps and Secrets included",
    { setting: false, complete: "workload" },
  ),
  "env-file": eachText("FILE", "variables from a .env file; again for more", { setting: false, complete: "file" }),
  set: eachText("NAME=VALUE", "one variable, which wins over all others; again for more", { setting: false }),
  "no-register": toggle("keep a Spring or Dubbo program from registering this machine in Nacos, Eureka, Consul"),
};

/** The flags of every command that runs a program with what its container has. */
export const workloadFlags = {
  ...variableFlags,
  "rewrite-env": toggle(
    "replace the cluster's addresses in the values of --env-from and --env-file by local ports, for programs that nothing else reaches",
  ),
  "files-from": text(
    "WORKLOAD[:CONTAINER]",
    undefined,
    "write the ConfigMaps and Secrets mounted in a container to a private folder, which HAWSER_FILES names; it goes with the program",
    { setting: false, complete: "workload" },
  ),
};
