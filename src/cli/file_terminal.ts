import { Terminal } from "./terminal.ts";

/** A terminal that is a file, for sessions in the background. */
export interface FileTerminal extends AsyncDisposable {
  readonly terminal: Terminal;
}

/** Characters after which the file is left as it is: nobody reads so much, and a disk should not fill by it. */
const most = 16 * 1024 * 1024;

/** Opens a new file that only its owner may read. */
export async function fileTerminal(path: string): Promise<FileTerminal> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  let written = 0;
  const sink = {
    isTerminal: () => false,
    async write(data: Uint8Array) {
      written += data.length;
      return written > most ? data.length : await file.write(data);
    },
  };
  const terminal = new Terminal({ stdout: sink, stderr: sink, columns: () => undefined, noColor: true });
  return {
    terminal,
    async [Symbol.asyncDispose]() {
      await terminal.flush();
      file.close();
    },
  };
}
