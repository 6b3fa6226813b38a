import type { TextSink } from "./terminal.ts";

/** Bytes after which the file is left as it is: nobody reads so much, and a disk should not fill by it. */
const most = 16 * 1024 * 1024;

/** A new file, open until the process ends, that only its owner may read. */
export async function logSink(path: string): Promise<TextSink & Disposable> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  let written = 0;
  return {
    isTerminal: () => false,
    async write(data) {
      written += data.length;
      return written > most ? data.length : await file.write(data);
    },
    [Symbol.dispose]: () => file.close(),
  };
}
