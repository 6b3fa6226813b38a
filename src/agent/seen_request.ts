import { requestPath } from "./request_path.ts";

/** Characters of a method and of a path that are told. */
const methodLimit = 32;
const pathLimit = 300;

/** What is told of a request: its method, and its path without the query, which may hold secrets. Printable ASCII, whatever the client sent. */
export function seenRequest(method: string, target: string): { readonly method: string; readonly path: string } {
  return { method: printable(method, methodLimit), path: printable(requestPath(target), pathLimit) };
}

function printable(text: string, limit: number): string {
  const plain = text.slice(0, limit).replace(
    /[^\x21-\x7e]/g,
    (sign) => `%${(sign.charCodeAt(0) & 0xff).toString(16).padStart(2, "0").toUpperCase()}`,
  );
  return plain.length > limit || text.length > limit ? `${plain.slice(0, limit)}...` : plain;
}
