import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { isAlive } from "../../src/platform/process.ts";
import { runHawser } from "./hawser_process.ts";
import { openPracticeHome, type PracticeHome } from "./practice_home.ts";
import { startHawser } from "./start_hawser.ts";

/** Stands for Chromium: goes where its PAC file says, prints what it gets and what it is, and stays if it is told to. */
const browser = `
const [profile, pac] = ["user-data-dir", "proxy-pac-url"].map((name) =>
  Deno.args.find((arg) => arg.startsWith("--" + name + "="))?.replace(/^[^=]+=/, "")
);
const url = Deno.args.at(-1);
const find = new Function(await (await fetch(pac)).text() + "; return FindProxyForURL;")();
const [kind, place] = find(url, new URL(url).hostname).split(" ");
const client = Deno.createHttpClient({ proxy: { url: "http://" + place } });
const page = await (await fetch(url, { client })).text();
const mode = (await Deno.stat(profile)).mode & 0o777;
console.log(JSON.stringify({ kind, page, profile, mode, url, args: Deno.args, pid: Deno.pid }));
if (Deno.args.includes("--stay")) setTimeout(() => {}, 60_000);
`;

describe("hawser browser on a practice cluster", { ignore: Deno.build.os === "windows" }, () => {
  let home: PracticeHome;
  let root: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    home = await openPracticeHome();
    root = home.root;
    env = { ...home.env, PATH: `${root}:/usr/bin:/bin` };
    await Deno.writeTextFile(`${root}/browser.ts`, browser);
    const script = `#!/bin/sh\nexec '${Deno.execPath()}' run -A --no-config '${root}/browser.ts' "$@"\n`;
    await Deno.writeTextFile(`${root}/google-chrome`, script, { mode: 0o755 });
    await Deno.writeTextFile(`${root}/broken`, "#!/bin/sh\necho no display >&2\nexit 3\n", { mode: 0o755 });
    const asRoot = "#!/bin/sh\necho Running as root without --no-sandbox is not supported. >&2\nexit 1\n";
    await Deno.writeTextFile(`${root}/as-root`, asRoot, { mode: 0o755 });
  });
  afterAll(() => home.close());

  const hawser = (...args: string[]) => ["browser", "--port", "0", "--no-dns", ...args];
  const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

  it("connects, opens the first browser there is at a service, and leaves nothing behind", async () => {
    const { status, out, err } = await runHawser(hawser("web/hello", "--", "--extra"), env);
    assertEquals([status, err.includes("Opening Chrome")], [0, true]);
    const { kind, page, profile, mode, url, args } = JSON.parse(out);
    assertEquals([kind, url, mode, args.includes("--extra")], ["PROXY", "http://web/hello", 0o700, true]);
    assertStringIncludes(page, "web-");
    assertEquals(await exists(profile), false);
  });

  it("opens a service by its longer name where browsers would insist on https", async () => {
    const { out, err } = await runHawser(hawser("search/x"), env);
    assertEquals(JSON.parse(out).url, "http://search.dev.svc/x");
    assertStringIncludes(err, "Opening http://search.dev.svc/x instead, since browsers ask for search by https");
  });

  it("closes the browser and removes its profile when interrupted", async () => {
    const session = await startHawser(hawser("web", "--", "--stay"), env);
    const { profile, pid } = JSON.parse(session.line);
    assertEquals([await exists(profile), isAlive(pid)], [true, true]);
    assertEquals((await session.end("SIGINT")).code, 130);
    assertEquals([await exists(profile), isAlive(pid)], [false, false]);
  });

  it("says before the browser starts that there is no such service", async () => {
    const { err } = await runHawser(hawser("nosuch.dev", "web", "--browser", `${root}/broken`), env);
    const warnings = err.split("\n").filter((line) => line.includes("warn"));
    assertEquals(warnings.length, 1);
    assertStringIncludes(warnings[0]!, "nosuch");
    assertEquals(err.indexOf("nosuch") < err.indexOf("Opening"), true);
  });

  it("passes on how a browser failed, with its last words, and how to give it the argument it asks for", async () => {
    const { status, err } = await runHawser(hawser("web", "--browser", `${root}/broken`), env);
    assertEquals([status, err.includes("no display"), err.includes("-- --no-sandbox")], [3, true, false]);
    const sandboxed = await runHawser(hawser("web", "--browser", `${root}/as-root`), env);
    assertStringIncludes(sandboxed.err, "end the command with: -- --no-sandbox");
  });

  it("refuses what is not for the cluster before it connects to anything", async () => {
    for (const word of ["file:///etc/passwd", "javascript:alert(1)"]) {
      const { status, err } = await runHawser(["browser", word], { HOME: root });
      assertEquals([status, err.includes("http and https")], [2, true]);
    }
  });
});
