import { logLevels } from "../platform/log.ts";
import { choice, namespace, text, texts, toggle } from "./flag.ts";

/** The flags that every command takes. */
export const globalFlags = {
  kubeconfig: text("FILE", undefined, "kubeconfig to use instead of KUBECONFIG or ~/.kube/config", {
    complete: "file",
  }),
  context: text("NAME", undefined, "kubeconfig context to use instead of the current one", { complete: "context" }),
  namespace: namespace("namespace to use instead of the context's", { short: "n" }),
  as: text("USER", undefined, "user to impersonate"),
  "as-group": texts("GROUP", "group to impersonate"),
  output: choice(["text", "json"], "text", "how to print results", {
    short: "o",
    otherwise: "The forms for shells, IDEs and JVMs are those of hawser env --shell",
  }),
  "log-level": choice(logLevels, "warn", "how much to tell on stderr"),
  profile: text("NAME", undefined, "section of the configuration file to use", { complete: "profile" }),
  help: toggle("explain the command", { short: "h", setting: false }),
};
