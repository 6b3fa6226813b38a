/** What in `scripts/offline/` stands in for which module of the JSR packages that `deno.json` maps. */
const standIns: Readonly<Record<string, string>> = {
  "@std/assert": "./scripts/offline/assert.ts",
  "@std/cli/parse-args": "./scripts/offline/parse_args.ts",
  "@std/net/get-available-port": "./scripts/offline/get_available_port.ts",
  "@std/testing/bdd": "./scripts/offline/bdd.ts",
};

/** The parts of a `deno.json` that {@linkcode offlineConfiguration} reads. */
export interface Configuration {
  readonly imports: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/**
 * The configuration for networks without JSR: that of `deno.json` with the stand-ins in the place of the JSR packages and
 * `lock` for the lock file.
 */
export function offlineConfiguration(configuration: Configuration, lock: string): Configuration {
  const { tasks: _tasks, ...rest } = configuration;
  const npm = Object.entries(configuration.imports).filter(([, specifier]) => !specifier.startsWith("jsr:"));
  return { ...rest, lock: { path: lock }, imports: { ...Object.fromEntries(npm), ...standIns } };
}
