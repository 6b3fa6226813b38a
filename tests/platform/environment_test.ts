import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { environment } from "../../src/platform/environment.ts";

describe("environment", () => {
  it("finds a variable of Windows by any spelling, and lists it by its own", () => {
    const env = environment({ Path: "C:\\bin", kubeconfig: "k" }, "windows");
    assertEquals([env.PATH, env.path, env.Path, env.KUBECONFIG], ["C:\\bin", "C:\\bin", "C:\\bin", "k"]);
    assertEquals([env.HOME, env.toString, env.constructor], [undefined, undefined, undefined]);
    assertEquals({ ...env }, { Path: "C:\\bin", kubeconfig: "k" });
    assertEquals(Object.entries(env), [["Path", "C:\\bin"], ["kubeconfig", "k"]]);
  });

  it("takes names elsewhere as they are", () => {
    const env = environment({ http_proxy: "x" }, "linux");
    assertEquals([env.http_proxy, env.HTTP_PROXY], ["x", undefined]);
  });
});
