import { join } from "node:path";
import { readFileIfAny, writePrivateFile } from "./private_file.ts";
import { announceProxyChange } from "./announce_proxy_change.ts";
import { Failure } from "./failure.ts";
import { type RegistryValue, type WindowsRegistry, windowsRegistry } from "./windows_registry.ts";

/** Who has set the user's proxy, and what stood there before. Kept in a file until it stands there again. */
export interface WindowsProxyNote {
  /** Of the session. */
  readonly id: string;
  readonly pid: number;
  /** Of the PAC file that is set meanwhile. */
  readonly url: string;
  /** Null where there was none. */
  readonly former: RegistryValue | null;
}

/** What of the user's own settings matters to the ways out, without what a session has set. */
export interface WindowsProxySettings {
  /** URL of a PAC file; undefined for none. */
  readonly autoConfigUrl: string | undefined;
  /** `proxy:3128`, or `http=proxy:3128;https=…`; undefined for none. */
  readonly server: string | undefined;
  /** `*.corp.example;10.*;<local>`; may be empty. */
  readonly override: string;
}

/** What it uses of the world. */
export interface WindowsProxyDeps {
  readonly registry?: WindowsRegistry;
  readonly announce?: () => void;
}

const key = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const policies = "Software\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const autoConfig = "AutoConfigURL";

/**
 * The proxy settings of the current user of Windows, which Edge, Chrome, .NET and most programs with windows follow. Only the address of the PAC file is ever
 * changed: it has precedence over a fixed proxy, which so stays as it is.
 */
export class WindowsProxy {
  readonly #file: string;
  readonly #registry: WindowsRegistry;
  readonly #announce: () => void;

  /** @param state the state folder of the user, see `userPaths`; there it is noted what stood in the registry. */
  constructor(state: string, { registry = windowsRegistry, announce = announceProxyChange }: WindowsProxyDeps = {}) {
    this.#file = join(state, "windows_proxy.json");
    this.#registry = registry;
    this.#announce = announce;
  }

  /** Who has set it; undefined where it is the user's own. */
  async note(): Promise<WindowsProxyNote | undefined> {
    const text = await readFileIfAny(this.#file);
    return text === undefined ? undefined : parseNote(text);
  }

  /** The user's own settings. */
  async settings(): Promise<WindowsProxySettings> {
    const enabled = this.#registry.read("HKCU", key, "ProxyEnable")?.data === 1;
    return {
      autoConfigUrl: textOf(await this.#own()),
      server: enabled ? textOf(this.#registry.read("HKCU", key, "ProxyServer")) : undefined,
      override: textOf(this.#registry.read("HKCU", key, "ProxyOverride")) ?? "",
    };
  }

  /**
   * Sets the PAC file. What stood there is noted before anything changes. Throws a {@linkcode Failure} where settings of single users do not count on this
   * machine, or a policy forbids it.
   */
  async take(owner: Pick<WindowsProxyNote, "id" | "pid" | "url">): Promise<void> {
    if (this.#registry.read("HKLM", policies, "ProxySettingsPerUser")?.data === 0) {
      throw new Failure(
        "A policy of this machine gives all its users one proxy (ProxySettingsPerUser is 0), so yours cannot be set: use hawser browser",
      );
    }
    const note: WindowsProxyNote = { id: owner.id, pid: owner.pid, url: owner.url, former: await this.#own() ?? null };
    await writePrivateFile(this.#file, `${JSON.stringify(note, null, 2)}\n`);
    this.#registry.write(key, autoConfig, { type: "REG_SZ", data: owner.url });
    this.#announce();
  }

  /**
   * Puts back what stood there before the session `id`, unless somebody else has changed it since. Nothing happens where another session has set it, or
   * none. Resolves with whether anything was put back. Throws a {@linkcode Failure}.
   */
  async giveBack(id: string): Promise<boolean> {
    const note = await this.note();
    if (note?.id !== id) return false;
    const ours = this.#registry.read("HKCU", key, autoConfig)?.data === note.url;
    if (ours) {
      if (note.former === null) this.#registry.remove(key, autoConfig);
      else this.#registry.write(key, autoConfig, note.former);
      this.#announce();
    }
    await Deno.remove(this.#file).catch(() => {}); // somebody else was faster
    return ours;
  }

  /** What the user has set, or what stood there before a session. */
  async #own(): Promise<RegistryValue | undefined> {
    const note = await this.note();
    const current = this.#registry.read("HKCU", key, autoConfig);
    return note !== undefined && current?.data === note.url ? note.former ?? undefined : current;
  }
}

function textOf(value: RegistryValue | undefined): string | undefined {
  return typeof value?.data === "string" && value.data !== "" ? value.data : undefined;
}

function parseNote(text: string): WindowsProxyNote | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isNote(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The file is the user's own and only hawser writes it; a damaged one must not put anything anywhere. */
function isNote(value: unknown): value is WindowsProxyNote {
  if (typeof value !== "object" || value === null) return false;
  const { id, pid, url, former }: Partial<Record<keyof WindowsProxyNote, unknown>> = value;
  return typeof id === "string" && typeof pid === "number" && typeof url === "string" && isFormer(former);
}

function isFormer(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  const { type, data }: { type?: unknown; data?: unknown } = value;
  return type === "REG_DWORD" ? typeof data === "number" : ["REG_SZ", "REG_EXPAND_SZ"].includes(String(type)) &&
    typeof data === "string";
}
