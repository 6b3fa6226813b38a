import { text } from "../flag.ts";

/** Which running session a command is about. */
export const sessionFlag = {
  session: text("NAME", undefined, "running session to use; needed where several run", { complete: "session" }),
};
