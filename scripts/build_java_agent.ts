// deno-lint-ignore-file no-console -- a script talks to whoever started it
/**
 * Builds `src/wiring/java_agent/hawser-agent.jar` from the Java sources beside it, always the same bytes: for Java 8, by the
 * compiler of one JDK, {@linkcode jdk}, which is looked for in `JAVA_HOME`, on the `PATH` and in `/usr/lib/jvm`.
 *
 * Where the JDK is not there, `--check` compares the hash of the sources that the jar's manifest holds.
 *
 * @module
 */
import { scriptArguments } from "./script_arguments.ts";
import { storedZip, type ZipEntry } from "./stored_zip.ts";

const folder = `${import.meta.dirname}/../src/wiring/java_agent`;
const jar = `${folder}/hawser-agent.jar`;
/** The major version of the JDK that compiles: others write other bytes. */
const jdk = 17;

/** Compares the jar with its sources; answers a sentence on how it was compared. Throws where they differ. */
export async function checkJavaAgent(): Promise<string> {
  const found = await Deno.readFile(jar);
  const javac = await findCompiler();
  if (javac !== undefined) {
    if (!equal(found, await build(javac))) throw new Error(differs);
    return `The agent's jar is what JDK ${jdk} makes of its sources`;
  }
  // Entries are stored as they are: the manifest can be read without an unpacker.
  if (!new TextDecoder("latin1").decode(found).includes(`${hashHeader}: ${await sourceHash()}\r\n`)) {
    throw new Error(differs);
  }
  return `The agent's jar is of these sources by their hash; without JDK ${jdk} its classes are not compared`;
}

const hashHeader = "Sources-SHA-256";
const differs = "src/wiring/java_agent/hawser-agent.jar is not of its sources: deno run -A scripts/build_java_agent.ts";

async function build(javac: string): Promise<Uint8Array> {
  const out = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(javac, {
      args: [
        "--release",
        "8",
        "-g:source,lines",
        "-Xlint:all",
        "-Werror",
        "-encoding",
        "UTF-8",
        "-d",
        out,
        ...sources(),
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const manifest = [
      "Manifest-Version: 1.0",
      "Premain-Class: hawser.Agent",
      "Can-Retransform-Classes: true",
      `${hashHeader}: ${await sourceHash()}`,
    ];
    return storedZip([
      { name: "META-INF/MANIFEST.MF", data: new TextEncoder().encode(manifest.map((line) => `${line}\r\n`).join("")) },
      ...classes(out),
    ]);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

/** The compiled classes in a folder, by name. */
function classes(folder: string): ZipEntry[] {
  return Array.from(Deno.readDirSync(`${folder}/hawser`), ({ name }) => `hawser/${name}`).sort()
    .map((name) => ({ name, data: Deno.readFileSync(`${folder}/${name}`) }));
}

function sources(): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) => name.endsWith(".java")).sort()
    .map((name) => `${folder}/${name}`);
}

/** SHA-256 of all sources one after another, in hexadecimal; line ends as a checkout on Windows may have them do not count. */
async function sourceHash(): Promise<string> {
  const text = sources().map((path) => Deno.readTextFileSync(path).replaceAll("\r\n", "\n")).join("");
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}

async function findCompiler(): Promise<string | undefined> {
  const home = Deno.env.get("JAVA_HOME");
  const candidates = [...home ? [`${home}/bin/javac`] : [], "javac", ...installed().map((each) => `${each}/bin/javac`)];
  for (const javac of candidates) {
    try {
      const { stdout } = await new Deno.Command(javac, { args: ["-version"], stderr: "null" }).output();
      if (new TextDecoder().decode(stdout).startsWith(`javac ${jdk}.`)) return javac;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

function installed(): string[] {
  try {
    return Array.from(Deno.readDirSync("/usr/lib/jvm"), ({ name }) => `/usr/lib/jvm/${name}`).sort();
  } catch {
    return []; // not as Debian has it
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

const usage = `deno run -A scripts/build_java_agent.ts            write the jar
       deno run -A scripts/build_java_agent.ts --check    say whether the jar is what the sources make`;

if (import.meta.main) {
  const { values: { check } } = scriptArguments(usage, { options: { check: { type: "boolean" } } });
  if (check) console.log(await checkJavaAgent());
  else {
    const javac = await findCompiler();
    if (javac === undefined) throw new Error(`No JDK ${jdk} is to be found; set JAVA_HOME`);
    const bytes = await build(javac);
    await Deno.writeFile(jar, bytes);
    console.log(`${jar}: ${bytes.length} bytes`);
  }
}
