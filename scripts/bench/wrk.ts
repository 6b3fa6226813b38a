import { kubectl } from "./kubectl.ts";

/** What a run of wrk has seen; times in milliseconds. */
export interface Load {
  readonly requests: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/** How and from where requests are made. */
export interface LoadOptions {
  readonly namespace: string;
  readonly workload: string;
  readonly seconds: number;
  readonly connections: number;
  readonly header: string | undefined;
}

/** Makes as many requests as it can from a pod, on connections that stay open. Throws where any of them fails. */
export async function wrk(
  url: string,
  { namespace, workload, seconds, connections, header }: LoadOptions,
): Promise<Load> {
  const words = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--latency",
    ...header ? ["-H", header.replace(/: ?/, ": ")] : [],
    url,
  ];
  const text = await kubectl("-n", namespace, "exec", workload, "--", "wrk", ...words);
  if (/Socket errors|Non-2xx/.test(text)) throw new Error(`wrk ${words.join(" ")}: requests failed\n${text}`);
  const found = (pattern: RegExp) => {
    const match = pattern.exec(text);
    if (!match?.[1]) throw new Error(`wrk ${words.join(" ")} printed what is not understood:\n${text}`);
    return match;
  };
  const time = (quantile: string) => {
    const [, value, unit = ""] = found(new RegExp(`${quantile}%\\s+([0-9.]+)(us|ms|s)`));
    return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? NaN);
  };
  return {
    requests: Number(found(/(\d+) requests in/)[1]),
    rate: Number(found(/Requests\/sec:\s+([0-9.]+)/)[1]),
    p50: time("50"),
    p99: time("99"),
  };
}
