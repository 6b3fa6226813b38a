import { fileURLToPath } from "node:url";

/** A program and its arguments. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/** What tells how this process was started. */
export interface SelfDeps {
  /** Whether `program` is hawser itself: made by `deno compile`, or the self-extracting file, which says so in `HAWSER_PROGRAM`. */
  readonly standalone: boolean;
  readonly program: string;
  readonly mainModule: string;
  /** The configuration file Deno was started with, where it is not the one beside the main module. */
  readonly denoConfig: string | undefined;
}

/** How to start hawser again with other arguments: its own executable, or Deno with the module that runs now. */
export function selfCommand(args: readonly string[], deps: SelfDeps = platform()): CommandLine {
  if (deps.standalone) return { program: deps.program, args };
  const config = deps.denoConfig === undefined ? [] : ["--config", deps.denoConfig];
  const flags = ["--allow-all", "--unstable-net", "--quiet", ...config]; // a bundle has no deno.json that asks for unstable-net
  return { program: deps.program, args: ["run", ...flags, deps.mainModule, ...args] };
}

function platform(): SelfDeps {
  const selfExtracting = Deno.build.standalone ? undefined : Deno.env.get("HAWSER_PROGRAM");
  return {
    standalone: Deno.build.standalone || selfExtracting !== undefined,
    program: selfExtracting ?? Deno.execPath(),
    mainModule: Deno.mainModule,
    // scripts/with_deps.ts started us with a configuration it made; see there
    denoConfig: Deno.env.get("HAWSER_DEPS") === "offline" && Deno.mainModule.endsWith("/main.ts")
      ? fileURLToPath(new URL("deno.offline.json", Deno.mainModule))
      : undefined,
  };
}
