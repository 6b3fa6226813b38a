/** One of the ways by which `hawser run` reaches into a program. */
export interface Layer {
  /** As the table has it. */
  readonly name: string;
  /** The flags that leave this way alone; the later ones of those that are on by default come with the earlier ones. */
  readonly flags: readonly string[];
  /** Whether `hawser run` does it without being asked. */
  readonly default: boolean;
  /** Whether `hawser run` has to connect by itself for it. */
  readonly alone?: boolean;
  /** Whether addresses come in a file of variables rather than in the environment: only such are rewritten. */
  readonly envFile?: boolean;
  /** Whether the program is a browser that hawser starts itself: its name, an address, and its arguments. */
  readonly browser?: boolean;
}

const hooksOff = ["--java", "off", "--node", "off"];

/** HTTP_PROXY and its like. */
export const variables: Layer = { name: "variables", flags: hooksOff, default: true };

/** System properties of Java's for proxies. */
export const javaProperties: Layer = { name: "props", flags: ["--java", "props"], default: false };

/** The agent inside the JVM. */
export const javaAgent: Layer = { name: "agent", flags: ["--java", "agent"], default: true };

/** The module that Node loads first. */
export const nodeHook: Layer = { name: "hook", flags: ["--node", "hook"], default: true };

/** The module that Python loads first. */
export const pythonHook: Layer = { name: "hook", flags: ["--python", "hook"], default: false };

/** A network of the program's own. */
export const isolation: Layer = { name: "isolation", flags: ["--isolate", "net"], default: false, alone: true };

/** Addresses in variables, replaced by those of local ports. */
export const rewriting: Layer = {
  name: "rewriting",
  flags: [...hooksOff, "--rewrite-env"],
  default: false,
  alone: true,
  envFile: true,
};

/** A browser's own profile, which names our PAC file. */
export const pacFile: Layer = { name: "PAC", flags: [], default: true, browser: true };
