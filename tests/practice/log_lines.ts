/** Hands on what a process writes, line by line. Resolves at its end. */
export async function logLines(stream: ReadableStream<Uint8Array>, write: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) write(line);
  }
  if (rest) write(rest);
}
