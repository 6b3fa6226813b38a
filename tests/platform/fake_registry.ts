import type { RegistryRoot, RegistryValue, WindowsRegistry } from "../../src/platform/windows_registry.ts";

/** A registry in memory; like the real one it does not tell `Software` from `SOFTWARE`. */
export class FakeRegistry implements WindowsRegistry {
  readonly #values = new Map<string, RegistryValue>();
  /** Thrown by every change, where set. */
  refuse: Error | undefined;

  read(root: RegistryRoot, key: string, name: string): RegistryValue | undefined {
    return this.#values.get(place(root, key, name));
  }

  write(key: string, name: string, value: RegistryValue): void {
    if (this.refuse) throw this.refuse;
    this.set("HKCU", key, name, value);
  }

  remove(key: string, name: string): void {
    if (this.refuse) throw this.refuse;
    this.#values.delete(place("HKCU", key, name));
  }

  /** What an administrator may do. */
  set(root: RegistryRoot, key: string, name: string, value: RegistryValue): void {
    this.#values.set(place(root, key, name), value);
  }
}

function place(root: RegistryRoot, key: string, name: string): string {
  return `${root}\\${key}\\\\${name}`.toLowerCase();
}
