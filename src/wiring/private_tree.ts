import { join } from "node:path";
import { Failure } from "../platform/failure.ts";
import type { LocalProcess } from "../platform/local_process.ts";
import { createPrivateFolder, readFileIfAny, writePrivateFile } from "../platform/private_file.ts";

/** What a {@linkcode PrivateTree} needs to know. */
export interface PrivateTreeDeps {
  /** The folder of all trees, of this process and others. */
  readonly folder: string;
  readonly os: typeof Deno.build.os;
  /** Tells whose process is gone; without it, nothing that others left is removed. */
  readonly local: LocalProcess | undefined;
}

/** A file of a tree. */
export interface TreeFile {
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

/** Files that only their owner may read, in a folder of their own. They go when it is closed, or when the next hawser starts after ours was killed. */
export class PrivateTree implements AsyncDisposable {
  /** Absolute. */
  readonly root: string;
  readonly #mark: string;

  private constructor(root: string, mark: string) {
    this.root = root;
    this.#mark = mark;
  }

  /**
   * Writes files by their slash-separated paths, which begin with a slash and come to lie below the root. Throws a {@linkcode Failure} for a path that would
   * lead out of it, or that this system cannot have, before anything is written; and where something cannot be written, with all of it removed.
   */
  static async write(
    files: ReadonlyMap<string, TreeFile>,
    { folder, os, local }: PrivateTreeDeps,
  ): Promise<PrivateTree> {
    const same = new Map<string, string>();
    for (const path of files.keys()) {
      check(path, os);
      const other = same.get(oneCase(path, os));
      if (other !== undefined) {
        throw new Failure(
          `The files "${other}" and "${path}" cannot both be written: here they are the same file. Leave --files-from out`,
        );
      }
      same.set(oneCase(path, os), path);
    }
    const root = join(folder, crypto.randomUUID());
    const tree = new PrivateTree(root, `${root}.json`);
    // First the mark: what has none is nobody's to sweep.
    await writePrivateFile(tree.#mark, local?.mark ?? "null");
    try {
      await createPrivateFolder(root);
      for (const [path, { bytes, executable }] of files) {
        const place = join(root, ...path.split("/"));
        await createPrivateFolder(join(place, ".."));
        await Deno.writeFile(place, bytes, { mode: executable ? 0o700 : 0o600 });
      }
      return tree;
    } catch (error) {
      await tree.close();
      throw error instanceof Failure ? error : new Failure(`Cannot write files to "${root}": ${reason(error)}`);
    }
  }

  /** Removes the trees of processes that are gone. Never rejects: what cannot be removed now may be next time. */
  static async sweep({ folder, local }: PrivateTreeDeps): Promise<void> {
    try {
      for await (const { name } of Deno.readDir(folder)) {
        if (!name.endsWith(".json")) continue;
        const mark = join(folder, name);
        const text = await readFileIfAny(mark);
        if (local?.isGone(text)) await new PrivateTree(mark.slice(0, -".json".length), mark).close();
      }
    } catch {
      // no such folder, as a rule
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Removes everything. Rejects with a {@linkcode Failure} that names what is left. */
  async close(): Promise<void> {
    for (const path of [this.root, this.#mark]) {
      await Deno.remove(path, { recursive: true }).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) {
          throw new Failure(`Cannot remove "${path}", which may hold secrets: ${reason(error)}. Remove it yourself`);
        }
      });
    }
  }
}

/** Equal for paths that are the same file: Windows and macOS, as they come, do not tell upper from lower case. */
function oneCase(path: string, os: typeof Deno.build.os): string {
  return os === "windows" || os === "darwin" ? path.normalize("NFC").toUpperCase() : path;
}

/** Names that Windows keeps for devices, whatever their ending. */
const devices = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

function check(path: string, os: typeof Deno.build.os): void {
  const parts = path.split("/").slice(1);
  if (
    !path.startsWith("/") || path.includes("\0") || parts.some((part) => part === "" || part === "." || part === "..")
  ) {
    throw new Failure(`The cluster names a file "${path}", which would lie outside of its folder: it is not written`);
  }
  const bad = os === "windows"
    ? parts.find((part) => /[<>:"|?*\\\p{Cc}]|[. ]$/u.test(part) || devices.test(part))
    : undefined;
  if (bad !== undefined) {
    throw new Failure(
      `The file "${path}" cannot be written: "${bad}" is no name that Windows knows. Leave --files-from out`,
    );
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
