/** Only characters that every program reads alike, whatever its locale or code page. */
export function isPlain(path: string): boolean {
  return /^[\x20-\x7e]*$/.test(path);
}

/**
 * The same file by a path that is plain where the system has one: on Windows the short name that NTFS keeps beside a long one. Otherwise the path as it
 * is.
 */
export function plainPath(path: string, os: typeof Deno.build.os): string {
  if (os !== "windows" || isPlain(path)) return path;
  try {
    const library = Deno.dlopen("kernel32.dll", {
      GetShortPathNameW: { parameters: ["buffer", "buffer", "u32"], result: "u32" },
    });
    try {
      const long = Uint16Array.from(`${path}\0`, (unit) => unit.charCodeAt(0));
      const short = new Uint16Array(32_768); // the longest path there is
      const length = library.symbols.GetShortPathNameW(long, short, short.length);
      return length > 0 && length < short.length ? String.fromCharCode(...short.subarray(0, length)) : path;
    } finally {
      library.close();
    }
  } catch {
    return path;
  }
}
