/** The path of a request's target, without its query. */
export function requestPath(target: string): string {
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  // Absolute form, which servers must take too (RFC 9112 §3.2.2).
  return /^https?:\/\//i.test(path) ? path.replace(/^https?:\/\/[^/]*/i, "") || "/" : path;
}
