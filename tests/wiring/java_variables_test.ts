import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { javaRemark, javaVariables } from "../../src/wiring/java_variables.ts";
import { jvmWords } from "./jvm_words.ts";

const agent = { port: 1080, file: "/home/u/hawser-agent.jar" };
const netty = [
  "-Dio.netty.transport.noNative=true",
  "-Dio.grpc.netty.shaded.io.netty.transport.noNative=true",
  "-Dreactor.netty.native=false",
];

describe("javaVariables", () => {
  it("names the agent and the front door, and keeps Netty to the JDK", () => {
    assertEquals(javaVariables(agent, {}, "linux"), {
      JAVA_TOOL_OPTIONS: `-javaagent:/home/u/hawser-agent.jar=1080 ${netty.join(" ")}`,
    });
  });

  it("keeps the user's options, however Windows spells the variable", () => {
    const file = String.raw`C:\Users\Jane Doe\hawser-agent.jar`;
    const { JAVA_TOOL_OPTIONS } = javaVariables({ port: 1, file }, { Java_Tool_Options: " -Xmx1g " }, "windows");
    assertEquals(
      JAVA_TOOL_OPTIONS,
      String.raw`-Xmx1g "-javaagent:C:\Users\Jane Doe\hawser-agent.jar=1" ${netty.join(" ")}`,
    );
  });

  it("gives a JVM any path as it is, after what it was given before", () => {
    const path = fc.stringMatching(/^\/[ "\\'$%a-z/]+$/);
    const word = fc.stringMatching(/^-D[a-z]+(=("[ a-z']{0,3}"|'[ a-z"]{0,3}'|[a-z\\]))?$/);
    fc.assert(fc.property(path, fc.array(word), fc.integer({ min: 1, max: 65535 }), (file, before, port) => {
      const own = before.join(" ");
      const { JAVA_TOOL_OPTIONS } = javaVariables({ port, file }, { JAVA_TOOL_OPTIONS: own }, "linux");
      assertEquals(jvmWords(JAVA_TOOL_OPTIONS!), [...jvmWords(own), `-javaagent:${file}=${port}`, ...netty]);
    }));
  });

  it("sets nothing for a path that a JVM may not find, since it would not start, and says so", () => {
    const paths = [["/home/a=b/a.jar", "darwin"], ["/home/jörg/a.jar", "linux"], ["C:\\李\\a.jar", "windows"]] as const;
    for (const [file, os] of paths) {
      assertEquals(javaVariables({ port: 1, file }, {}, os), {}, file);
      assertStringIncludes(javaRemark({ port: 1, file }, {}, os) ?? "", `"${file}"`);
    }
    assertEquals(javaRemark({ port: 1, file: "/Users/jörg/a.jar" }, {}, "darwin"), undefined);
  });
});

describe("javaRemark", () => {
  it("says when the variable is longer than Java 8 reads, and keeps our own part short", () => {
    const room = 1023 - javaVariables(agent, {}, "linux").JAVA_TOOL_OPTIONS!.length - " ".length;
    const withOwn = (length: number) =>
      javaRemark(agent, { JAVA_TOOL_OPTIONS: `-D${"x".repeat(length - 2)}` }, "linux");
    assertEquals(room > 800, true);
    assertEquals(withOwn(room), undefined);
    assertStringIncludes(withOwn(room + 1) ?? "", "1024 bytes");
  });
});
