import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { commandTable } from "../../src/cli/command_table.ts";
import { readOptions } from "../../src/cli/define_command.ts";
import { connectGrammar } from "../../src/cli/grammar/connect.ts";
import { globalFlags } from "../../src/cli/global_flags.ts";
import { parse } from "../../src/cli/parse.ts";
import { UsageError } from "../../src/cli/usage_error.ts";

function connectOptions(...args: string[]) {
  const { given } = parse(["connect", ...args], commandTable);
  return readOptions({ ...connectGrammar.flags, ...globalFlags }, given);
}

function message(...args: string[]): string {
  return assertThrows(() => parse(args, commandTable), UsageError).message;
}

function valueMessage(...args: string[]): string {
  return assertThrows(() => connectOptions(...args), UsageError).message;
}

describe("parse", () => {
  it("takes global flags before and after the command", () => {
    for (
      const args of [["-n", "dev", "status"], ["status", "-n", "dev"], ["status", "--namespace=dev"], [
        "status",
        "-n=dev",
      ], ["status", "-ndev"]]
    ) {
      const { command, given } = parse(args, commandTable);
      assertEquals([command?.name, given.get("namespace")?.texts], ["status", ["dev"]], args.join(" "));
    }
  });

  it("does not take a word that looks like a number for one", () => {
    assertEquals(parse(["forward", "mysql", "0x10", "08", "1e3"], commandTable).words, ["mysql", "0x10", "08", "1e3"]);
  });

  it("does not take the command for a value of a switch before it", () => {
    assertEquals(parse(["--help", "connect"], commandTable).command?.name, "connect");
  });

  it("keeps everything of a program's line, even flags of ours and a second --", () => {
    assertEquals(parse(["run", "-n", "dev", "--", "sh", "-c", "x", "--", "-n"], commandTable).words, [
      "sh",
      "-c",
      "x",
      "--",
      "-n",
    ]);
    assertEquals(parse(["run", "--listen", "npm", "-n", "x", "--", "y"], commandTable).words, [
      "npm",
      "-n",
      "x",
      "--",
      "y",
    ]);
  });

  it("keeps any program's line as it is", () => {
    fc.assert(fc.property(fc.array(fc.string()), (words) => {
      assertEquals(parse(["run", "--", "program", ...words], commandTable).words, ["program", ...words]);
    }));
  });

  it("never fails other than by saying what is wrong", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("connect", "run", "--", "-n", "--port", "-o", "--listen=x", "-", "---", "-=", "--=1"),
    );
    fc.assert(fc.property(fc.array(word), (args) => {
      try {
        parse(args, commandTable);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }));
  });

  it("names the nearest command, flag and word", () => {
    assertStringIncludes(message("conect"), 'Unknown command "conect". Did you mean "connect"?');
    assertStringIncludes(
      message("connect", "--prot", "1"),
      'Unknown flag "--prot" for "hawser connect". Did you mean "--port"?',
    );
    assertStringIncludes(message("completion", "bsh"), 'Did you mean "bash"?');
    assertStringIncludes(message("connect", "-x"), 'Unknown flag "-x"');
  });

  it("does not name hidden commands", () => assertEquals(message("__complet").includes("__complete"), false));

  it("refuses words too few and too many", () => {
    assertStringIncludes(message("completion"), "needs bash|zsh|fish|powershell");
    assertStringIncludes(message("status", "now"), 'does not know what to do with "now"');
    assertStringIncludes(message("run"), "needs -- PROGRAM");
  });

  it("refuses a switch that is neither on nor off", () => {
    assertStringIncludes(message("connect", "--name", "x", "--listen=maybe"), '"maybe" is neither true nor false');
    assertEquals(connectOptions("--listen=false").listen, false);
  });
});

describe("flag values", () => {
  it("have their types, and names in camel case", () => {
    const options = connectOptions(
      "--port",
      "1090",
      "--dns-port=53",
      "--listen",
      "--namespaces",
      "a,b",
      "--namespaces",
      "c",
      "-o",
      "json",
    );
    assertEquals(
      [
        options.port,
        options.dnsPort,
        options.listen,
        options.noDns,
        options.namespaces,
        options.output,
        options.clusterDomain,
      ],
      [1090, 53, true, false, ["a", "b", "c"], "json", undefined],
    );
  });

  it("are names of namespaces and domains, or refused", () => {
    assertEquals(connectOptions("-n", "dev-2").namespace, "dev-2");
    assertEquals(connectOptions("--cluster-domain", "K8s.Corp.").clusterDomain, "k8s.corp");
    for (const wrong of ["Dev", "a b", "dev.shop", "dev-", "a/b", "x".repeat(64)]) {
      assertStringIncludes(valueMessage("-n", wrong), `--namespace must be the name of a namespace`, wrong);
      assertStringIncludes(valueMessage("--namespaces", `ok,${wrong}`), `"${wrong}" is not`, wrong);
    }
    for (const wrong of ["..", "a..b", "a b", ".local"]) {
      assertStringIncludes(valueMessage("--cluster-domain", wrong), "--cluster-domain must be a DNS domain", wrong);
    }
  });

  it("are refused where missing", () => {
    for (const args of [["--port"], ["--port="], ["--port", ""], ["--port", "--listen"]]) {
      assertStringIncludes(valueMessage(...args), "--port needs a value: PORT");
    }
    assertStringIncludes(valueMessage("--namespaces", "a,,b"), "--namespaces needs a value");
  });

  it("are refused where of the wrong kind", () => {
    for (const port of ["-0", "65536", "http", "1.5", "0x50", "+80", "1e3"]) {
      assertStringIncludes(valueMessage(`--port=${port}`), "must be a port from 0 (any free one) to 65535", port);
    }
    assertStringIncludes(valueMessage("-o", "jsn"), '"jsn" is none of them. Did you mean "json"?');
  });
});
