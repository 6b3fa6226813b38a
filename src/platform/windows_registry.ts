import { Failure } from "./failure.ts";

/** The two parts of the registry that matter here. */
export type RegistryRoot = "HKCU" | "HKLM";

/** A value of the registry: text as it stands there (`REG_EXPAND_SZ` unexpanded), or a number. */
export type RegistryValue =
  | { readonly type: "REG_SZ" | "REG_EXPAND_SZ"; readonly data: string }
  | { readonly type: "REG_DWORD"; readonly data: number };

/** The Windows registry, as far as an ordinary user may go. Keys are written without root: `Software\Microsoft`. */
export interface WindowsRegistry {
  /** A value by its name, `""` for the key's default; undefined where there is none, it cannot be read, or is of another type. */
  read(root: RegistryRoot, key: string, name: string): RegistryValue | undefined;
  /** Sets a value of the current user, making the key where missing. Throws a {@linkcode Failure}. */
  write(key: string, name: string, value: RegistryValue): void;
  /** Removes a value of the current user; nothing happens where there is none. Throws a {@linkcode Failure}. */
  remove(key: string, name: string): void;
}

const roots = { HKCU: -0x7fffffffn, HKLM: -0x7ffffffen } as const; // sign-extended, as the headers have them
const types = { REG_SZ: 1, REG_EXPAND_SZ: 2, REG_DWORD: 4 } as const;
const anyOfThem = 0x0000_0002 | 0x0000_0004 | 0x0000_0010 | 0x1000_0000; // RRF_RT_REG_SZ, _EXPAND_SZ, _DWORD; RRF_NOEXPAND
const notFound = 2; // ERROR_FILE_NOT_FOUND
const moreData = 234; // ERROR_MORE_DATA
const maxBytes = 64 * 1024;

const symbols = {
  RegGetValueW: { parameters: ["isize", "buffer", "buffer", "u32", "buffer", "buffer", "buffer"], result: "i32" },
  RegSetKeyValueW: { parameters: ["isize", "buffer", "buffer", "u32", "buffer", "u32"], result: "i32" },
  RegDeleteKeyValueW: { parameters: ["isize", "buffer", "buffer"], result: "i32" },
} as const;

/**
 * The registry of this machine, through `advapi32.dll`: unlike `reg.exe` it gives any text back unchanged, and tells what is missing from what
 * is refused, in every language of Windows. Anywhere but on Windows it is empty, and refuses to be written.
 */
export const windowsRegistry: WindowsRegistry = {
  read: (root, key, name) =>
    Deno.build.os === "windows" ? withLibrary((library) => read(library, root, key, name)) : undefined,
  write(key, name, { type, data }) {
    const bytes = typeof data === "string" ? wide(data) : new Uint8Array(Uint32Array.of(data).buffer);
    const status = withLibrary(({ RegSetKeyValueW }) =>
      RegSetKeyValueW(roots.HKCU, wide(key), wide(name), types[type], bytes, bytes.length)
    );
    if (status !== 0) throw refused("set", key, name, status);
  },
  remove(key, name) {
    const status = withLibrary(({ RegDeleteKeyValueW }) => RegDeleteKeyValueW(roots.HKCU, wide(key), wide(name)));
    if (status !== 0 && status !== notFound) throw refused("remove", key, name, status);
  },
};

type Library = Deno.DynamicLibrary<typeof symbols>["symbols"];

function withLibrary<T>(use: (library: Library) => T): T {
  const library = Deno.dlopen("advapi32.dll", symbols);
  try {
    return use(library.symbols);
  } finally {
    library.close();
  }
}

function read(
  { RegGetValueW }: Library,
  root: RegistryRoot,
  key: string,
  name: string,
): RegistryValue | undefined {
  for (let capacity = 1024; capacity <= maxBytes; capacity *= 8) {
    const type = new Uint32Array(1);
    const size = Uint32Array.of(capacity);
    const data = new Uint8Array(capacity);
    const status = RegGetValueW(roots[root], wide(key), wide(name), anyOfThem, type, data, size);
    if (status === moreData) continue;
    if (status !== 0) return undefined;
    return valueOf(type[0]!, data.subarray(0, size[0]));
  }
}

function valueOf(type: number, data: Uint8Array): RegistryValue | undefined {
  const view = new DataView(data.buffer);
  if (type === types.REG_DWORD) return { type: "REG_DWORD", data: view.getUint32(0, true) };
  const units = Array.from({ length: data.length >> 1 }, (_, at) => view.getUint16(at * 2, true));
  const end = units.indexOf(0);
  const text = String.fromCharCode(...units.slice(0, end < 0 ? undefined : end)); // whatever it holds, halves of surrogate pairs included
  return { type: type === types.REG_SZ ? "REG_SZ" : "REG_EXPAND_SZ", data: text };
}

/** UTF-16 with a NUL at its end. */
function wide(text: string): Uint8Array<ArrayBuffer> {
  const units = new Uint16Array(text.length + 1);
  for (let at = 0; at < text.length; at++) units[at] = text.charCodeAt(at);
  return new Uint8Array(units.buffer);
}

function refused(what: string, key: string, name: string, status: number): Failure {
  return new Failure(
    `Windows does not let you ${what} "${name}" in HKEY_CURRENT_USER\\${key} (error ${status}): a policy of your company may forbid it`,
  );
}
