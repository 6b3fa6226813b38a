/** The parts of a version 5 `deno.lock` that differ between the two kinds of network. */
export interface Lock {
  readonly version: string;
  readonly specifiers?: Readonly<Record<string, string>>;
  readonly jsr?: unknown;
  readonly npm?: Readonly<Record<string, unknown>>;
  readonly workspace?: { readonly dependencies?: readonly string[] };
}

/** `lock` without what it says of JSR: what Deno would write for the offline configuration. */
export function offlineLock(lock: Lock): Lock {
  const { jsr: _jsr, ...rest } = lock;
  return {
    ...rest,
    specifiers: pick(lock.specifiers, (name) => !name.startsWith("jsr:")),
    workspace: { ...lock.workspace, dependencies: lock.workspace?.dependencies?.filter((d) => !d.startsWith("jsr:")) },
  };
}

/** `lock` with the npm packages of `offline`, so that a dependency added without JSR is locked for everybody. */
export function withNpmOf(lock: Lock, offline: Lock): Lock {
  const specifiers = {
    ...pick(lock.specifiers, (name) => name.startsWith("jsr:")),
    ...pick(offline.specifiers, (name) => !name.startsWith("jsr:")),
  };
  const dependencies = [
    ...(lock.workspace?.dependencies ?? []).filter((name) => name.startsWith("jsr:")),
    ...(offline.workspace?.dependencies ?? []),
  ];
  const { version, jsr } = lock;
  return {
    version,
    specifiers: Object.fromEntries(Object.entries(specifiers).sort(([a], [b]) => a < b ? -1 : 1)),
    ...(jsr === undefined ? {} : { jsr }),
    npm: offline.npm,
    workspace: { dependencies: dependencies.sort() },
  };
}

function pick(from: Lock["specifiers"] = {}, wanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => wanted(name)));
}
