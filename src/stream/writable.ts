import type { Writable } from "node:stream";

/** Writes to one of Node's streams as `Duplex.write` does; rejects with the error of this write, which a closed stream makes too. */
export function writeTo(stream: Writable, data: Uint8Array): Promise<void> {
  if (data.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => error ? reject(error) : resolve());
  });
}

/** Ends the writing half as `Duplex.closeWrite` does: also where the stream has ended, or is destroyed before it could. */
export function endWriting(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) return resolve();
    stream.once("close", resolve);
    stream.end(() => {
      stream.off("close", resolve);
      resolve();
    });
  });
}
