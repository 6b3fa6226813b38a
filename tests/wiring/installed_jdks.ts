/** A JDK of this machine. */
export interface Jdk {
  /** 8, 11, … */
  readonly version: number;
  readonly java: string;
  readonly javac: string;
}

/** The JDKs of this machine, one of each version, oldest first: that of `JAVA_HOME`, those beside it, and where Debian puts them. */
export async function installedJdks(): Promise<Jdk[]> {
  const found = new Map<number, Jdk>();
  for (const home of homes()) {
    const jdk = await jdkAt(home);
    if (jdk && !found.has(jdk.version)) found.set(jdk.version, jdk);
  }
  return [...found.values()].sort((a, b) => a.version - b.version);
}

function homes(): string[] {
  const own = Deno.env.get("JAVA_HOME");
  const folders = ["/usr/lib/jvm", ...own ? [`${own}/..`] : []];
  return [...own ? [own] : [], ...folders.flatMap(foldersIn)];
}

function foldersIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`);
  } catch {
    return []; // there is none
  }
}

async function jdkAt(home: string): Promise<Jdk | undefined> {
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  const [java, javac] = ["java", "javac"].map((name) => `${home}/bin/${name}${suffix}`) as [string, string];
  try {
    // Java 8 says it on stderr
    const { stdout, stderr } = await new Deno.Command(javac, { args: ["-version"] }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const version = /^javac (?:1\.)?(?<version>\d+)/m.exec(text)?.groups?.version;
    return version === undefined ? undefined : { version: Number(version), java, javac };
  } catch {
    return undefined; // no JDK
  }
}
