import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { DotenvError, parseDotenv } from "../../src/wiring/parse_dotenv.ts";
import { shellLines } from "../../src/wiring/shell_lines.ts";

function read(text: string): Record<string, string> {
  return Object.fromEntries(parseDotenv(text));
}

function refused(text: string): [number, string] {
  const { line, message } = assertThrows(() => parseDotenv(text), DotenvError);
  return [line, message];
}

describe("parseDotenv", () => {
  it("reads bare values, comments and export", () => {
    assertEquals(
      read("# names\nA=1\n\n  export B = two words  \nC=a#b # not this\nD=\nE==x=\nF=it's\nG= # nothing\nA=2"),
      { A: "2", B: "two words", C: "a#b", D: "", E: "=x=", F: "it's", G: "" },
    );
  });

  it("reads quoted values, also over several lines", () => {
    assertEquals(
      read(`A='a "b" \\n $x' # c\nB="a\\n\\"\\\\ \\$x \\d\nend"\nC='1\n2'\nspring.profiles=dev`),
      { A: 'a "b" \\n $x', B: 'a\n"\\ $x \\d\nend', C: "1\n2", "spring.profiles": "dev" },
    );
  });

  it("reads files of Windows: byte order mark, carriage returns, backslashes", () => {
    assertEquals(read('\ufeffA=C:\\temp\\new\r\nB="C:\\Users\\x"\r\n'), { A: "C:\\temp\\new", B: "C:\\Users\\x" });
  });

  it("ends lines at line feeds alone", () => {
    assertEquals(read("A=1\u2028x\n# a\u2029b\nB=2\r3 # \u2028"), { A: "1\u2028x", B: "2\r3" });
  });

  it("names the line and the variable, never the value", () => {
    assertEquals(refused("A=1\nsecret\n"), [2, "a line has the form NAME=value"]);
    assertEquals(refused("A='1\n2'\nB='x\n\nC=1"), [3, "the quotes of B do not end"]);
    assertEquals(refused('A="1\n2" secret'), [2, "something follows the quotes of A"]);
    assertEquals(refused("=x"), [1, "a line has the form NAME=value"]);
    assertEquals(refused("\nA=x\0y"), [2, "A holds what no variable can: NUL"]);
  });

  it("refuses names that Kubernetes would refuse, without showing them: they may be part of something else", () => {
    const form = 'the name of a variable is of letters, digits, "_", "." and "-", the first of them no digit';
    assertEquals(refused("A=1\nBAD NAME=1"), [2, form]);
    assertEquals(refused("1A=2"), [1, form]);
    assertEquals(refused("export a+b=2"), [1, form]);
    assertEquals(read("_a.b-c = 1\nexport export=2"), { "_a.b-c": "1", export: "2" });
  });

  it("reads whatever hawser env writes", () => {
    const value = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(..."'\"\\$`#=nrt \t\r\n") }),
    );
    const variables = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/), value, { noNullPrototype: true });
    fc.assert(fc.property(variables, (wanted) => {
      const clean = Object.entries(wanted).map(([name, text]) => [name, text.replaceAll("\0", "")] as const);
      assertEquals(read(shellLines("dotenv", new Map(clean))), Object.fromEntries(clean));
    }));
  });

  it("reads or refuses any text", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."AB='\"\\ #\n\r\t") }), (text) => {
      try {
        parseDotenv(text);
      } catch (error) {
        if (!(error instanceof DotenvError)) throw error;
      }
    }));
  });
});
