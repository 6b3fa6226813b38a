import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { describe, it } from "@std/testing/bdd";

describe("parseArgs", () => {
  it("gives a string flag the next word, or what follows the equals sign", () => {
    const args = parseArgs(["--name", "a", "--other=b=c"], { string: ["name", "other", "absent"] });
    const name: string | undefined = args.name;
    assertEquals([name, args.other, args.absent], ["a", "b=c", undefined]);
  });

  it("gives a string flag without a value the empty string", () => {
    const args = parseArgs(["--name", "--other", "-x"], { string: ["name", "other"], boolean: ["x"] });
    assertEquals([args.name, args.other, args.x], ["", "", true]);
  });

  it("does not give a boolean flag the next word, unless it is true or false", () => {
    const args = parseArgs(["--verbose", "proxy", "--quiet", "false", "--loud=false", "--odd=1"], {
      boolean: ["verbose", "quiet", "loud", "odd", "absent"],
    });
    const absent: boolean = args.absent;
    assertEquals(args, {
      _: ["proxy"],
      verbose: true,
      quiet: false,
      loud: false,
      odd: true,
      absent,
    });
    assertEquals(absent, false);
  });

  it("keeps the last value, or all values of a collected flag", () => {
    const args = parseArgs(["-p", "1", "-p=2", "--port", "3", "--name=a", "--name=b"], {
      string: ["port", "name", "absent"],
      collect: ["port", "absent"],
      alias: { port: "p" },
    });
    const ports: string[] = args.port;
    assertEquals([ports, args.p, args.name, args.absent], [["1", "2", "3"], ["1", "2", "3"], "b", []]);
  });

  it("sets a negatable flag to false, and only such a one", () => {
    const args = parseArgs(["--no-color", "--no-proxy"], {
      boolean: ["color", "no-proxy"],
      negatable: ["color"],
      default: { color: true },
    });
    assertEquals([args.color, args["no-proxy"]], [false, true]);
    assertEquals(parseArgs([], { boolean: ["color"], negatable: ["color"], default: { color: true } }).color, true);
  });

  it("gives every alias the value", () => {
    const args = parseArgs(["-n", "dev", "--verbose"], {
      string: ["namespace"],
      boolean: ["v"],
      alias: { namespace: ["n", "ns"], v: "verbose" },
    });
    assertEquals(args, { _: [], namespace: "dev", n: "dev", ns: "dev", v: true, verbose: true });
  });

  it("fills in defaults, for aliases too", () => {
    const args = parseArgs(["--a=1"], { string: ["a", "b"], alias: { b: "c" }, default: { a: "x", b: "y" } });
    const b: string = args.b;
    assertEquals(args, { _: [], a: "1", b, c: "y" });
    assertEquals(b, "y");
  });

  it("splits letters behind one hyphen", () => {
    const options = { string: ["n"], boolean: ["a", "b"] } as const;
    assertEquals(parseArgs(["-abn", "dev"], options), { _: [], a: true, b: true, n: "dev" });
    assertEquals(parseArgs(["-n8"], options), { _: [], a: false, b: false, n: "8" });
    assertEquals(parseArgs(["-n/tmp"], options), { _: [], a: false, b: false, n: "/tmp" });
  });

  it("takes a lone hyphen as a value of a letter and as a positional word", () => {
    assertEquals(parseArgs(["-f", "-", "-"], { string: ["f"] }), { _: ["-"], f: "-" });
    assertEquals(parseArgs(["--file", "-"], { string: ["file"] }), { _: ["-"], file: "" });
  });

  it("turns what looks like a number into one, unless it is declared a string", () => {
    assertEquals(parseArgs(["80", "0x10", "1e3", "--port", "8080"]), { _: [80, 16, 1000], port: 8080 });
    const declared: unknown = parseArgs(["80", "-p", "8080"], { string: ["_", "p"] });
    assertEquals(declared, { _: ["80"], p: "8080" });
  });

  it("takes everything after the first positional word as positional, if asked to", () => {
    const args = parseArgs(["-v", "run", "-v", "--help", "x"], { boolean: ["v", "help"], stopEarly: true });
    assertEquals(args, { _: ["run", "-v", "--help", "x"], v: true, help: false });
  });

  it("keeps the words behind a double dash apart, if asked to", () => {
    const apart = parseArgs(["a", "--", "b", "--c", "1"], { "--": true, boolean: ["c"] });
    const behind: string[] = apart["--"];
    assertEquals([apart._, behind, apart.c], [["a"], ["b", "--c", "1"], false]);
    assertEquals(parseArgs(["a", "--", "-b", "1"])._, ["a", "-b", "1"]);
    assertEquals(parseArgs(["a"], { "--": true })["--"], []);
  });

  it("asks about positional words and flags nobody declared, and leaves out what is refused", () => {
    const asked: unknown[][] = [];
    const args = parseArgs(["word", "--known", "--odd=1", "-z", "--no-known", "8"], {
      boolean: ["known"],
      unknown: (...what) => {
        asked.push(what);
        return what[0] === "word";
      },
    });
    assertEquals(args, { _: ["word"], known: true });
    assertEquals(asked, [["word"], ["--odd=1", "odd", "1"], ["-z", "z", true], ["--no-known", "no-known", "8"]]);
  });
});
