import { bundle } from "../bundle.ts";
import { permissions } from "../permissions.ts";
import { runTool } from "../run_tool.ts";

/**
 * Builds the executable for Linux machines of this one's architecture that needs no base binary of `deno compile`: a shell
 * script that carries this Deno, the C library it wants, and hawser. Needs `ldd`, `tar` and `gzip`; throws where one fails.
 */
export async function buildSelfExtracting(out: string, version: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "hawser-" });
  try {
    await bundle(`${folder}/bundle`, ["scripts/self_extracting/start.ts"]);
    await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
    await Deno.mkdir(`${folder}/lib`);
    const libraries = await librariesOf(Deno.execPath());
    for (const [name, path] of libraries) await Deno.copyFile(path, `${folder}/lib/${name}`);
    const loader = [...libraries.keys()].find((name) => name.startsWith("ld-linux"));
    if (loader === undefined) throw new Error(`Cannot find the loader of "${Deno.execPath()}": ldd does not name one`);

    const archive = await runTool("tar", [
      ...["--create", "--file=-", "--use-compress-program=gzip -9n"],
      ...["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"], // the same file from the same sources
      ...["--directory", folder, "."],
    ]);
    const header = launcher(await Deno.readTextFile(`${import.meta.dirname}/launcher.sh`), {
      ARCH: Deno.build.arch,
      HASH: (await sha256(archive)).slice(0, 16),
      LOADER: loader,
      PERMISSIONS: permissions.join(" "),
      VERSION: version,
    });
    await Deno.writeFile(out, header);
    await Deno.writeFile(out, archive, { append: true });
    await Deno.chmod(out, 0o755);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The shared libraries of a program and its loader, by the names it asks for. */
async function librariesOf(program: string): Promise<ReadonlyMap<string, string>> {
  const lines = new TextDecoder().decode(await runTool("ldd", [program])).split("\n");
  const paths = lines.flatMap((line) => /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return new Map(paths.map((path) => [path.slice(path.lastIndexOf("/") + 1), path]));
}

/** The script, with its own length as the place where the archive begins. */
function launcher(template: string, values: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const text = Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`@${name}@`, value), template);
  let bytes = new Uint8Array();
  for (let offset = 0; offset !== bytes.length + 1;) {
    offset = bytes.length + 1;
    bytes = new TextEncoder().encode(text.replace("@OFFSET@", String(offset)));
  }
  return bytes;
}

async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data)).toHex();
}
