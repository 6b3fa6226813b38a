import { fileURLToPath } from "node:url";
import { Failure } from "../platform/failure.ts";
import type { WindowsProxySettings } from "../platform/windows_proxy.ts";
import { staticPac } from "./static_pac.ts";

const maxLength = 1024 * 1024;
const patience = 10_000;

/**
 * The PAC script by which the user's Windows goes to what is not the cluster's: their own PAC file, fetched, or one made from their fixed proxy; undefined
 * where they have neither. Rejects with a {@linkcode Failure} where their PAC file cannot be had or understood.
 */
export async function systemPac(
  { autoConfigUrl, server, override }: WindowsProxySettings,
  load: (url: URL) => Promise<string> = loadScript,
): Promise<string | undefined> {
  if (autoConfigUrl === undefined) return server === undefined ? undefined : staticPac(server, override);
  try {
    const script = await load(new URL(autoConfigUrl));
    // Parses it and runs nothing: one that ended our function early would change what ours says.
    new Function(`${script}\nreturn FindProxyForURL;`);
    return script;
  } catch (error) {
    throw new Failure(
      `The PAC file that Windows uses, "${autoConfigUrl}", cannot be used: ${
        error instanceof Error ? error.message : error
      }`,
      { cause: error },
    );
  }
}

async function loadScript(url: URL): Promise<string> {
  if (url.protocol === "file:") return await Deno.readTextFile(fileURLToPath(url));
  const response = await fetch(url, { signal: AbortSignal.timeout(patience) });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`its server answers with status ${response.status}`);
  }
  let text = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.length > maxLength) throw new Error("it is longer than 1 MiB");
  }
  return text;
}
