import { type LogLevel, logLevels } from "../platform/log.ts";

/** Whether what is logged as `info` is shown at a level: what costs something to find out need not be found out where it is not. */
export function tellsInfo(level: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf("info");
}
