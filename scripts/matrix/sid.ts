import { succeed } from "./command.ts";
import { workshop } from "./prepared.ts";

/** Debian's unstable release, which has all Javas there are. */
const root = Deno.env.get("HAWSER_MATRIX_SID") ?? "/var/cache/hawser-sid";

/** Makes a folder with Debian's unstable release and Javas of it, where there is none. Needs root and debootstrap. */
export async function prepareSid(versions: readonly number[]): Promise<void> {
  const missing = versions.filter((version) => !exists(`${root}${javaFolder(version)}/bin/java`));
  if (missing.length === 0) return;
  if (!exists(`${root}/usr/bin/apt-get`)) {
    const mirror = await debianMirror();
    await succeed(["debootstrap", "--variant=minbase", "sid", root, ...mirror], { seconds: 900 });
  }
  const packages = missing.map((version) => `openjdk-${version}-jre-headless`).join(" ");
  const install =
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${packages}`;
  await succeed(inSid(["sh", "-ec", install]), { seconds: 900 });
}

/** Where a Java is in there. */
export function javaFolder(version: number): string {
  return `/usr/lib/jvm/java-${version}-openjdk-amd64`;
}

// Mounts are this process's only. What programs need of outside: the workshop, hawser's folders below /tmp, and the resolver.
const script = `
for place in /proc /dev /tmp "$1"; do mkdir -p "$0$place"; mount --rbind "$place" "$0$place"; done
for file in /etc/resolv.conf /etc/hosts; do touch "$0$file"; mount --bind "$file" "$0$file"; done
root=$0
shift
exec chroot "$root" "$@"`;

/** How a program of that release is started, with the workshop and /tmp where they are outside. */
export function inSid(words: readonly string[]): string[] {
  return ["unshare", "--mount", "sh", "-ec", script, root, workshop, ...words];
}

/** The mirror this machine itself uses; debootstrap's own where that is not found. */
async function debianMirror(): Promise<string[]> {
  const sources = await succeed([
    "sh",
    "-c",
    "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true",
  ]);
  const found = /https?:\/\/\S+\/debian\/?(?=\s)/.exec(sources)?.[0];
  return found === undefined ? [] : [found];
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
