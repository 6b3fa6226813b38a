import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { pythonVariables } from "../../src/wiring/python_variables.ts";

describe("pythonVariables", () => {
  it("names the hook and the front door", () => {
    const expected = { PYTHONPATH: "/home/u/python", HAWSER_HOOK_PORT: "1080" };
    assertEquals(pythonVariables({ port: 1080, folder: "/home/u/python" }, {}, "linux"), expected);
    // an empty entry would be the working directory
    assertEquals(pythonVariables({ port: 1080, folder: "/home/u/python" }, { PYTHONPATH: "" }, "linux"), expected);
  });

  it("comes before the user's folders, with the separator of the system", () => {
    const place = { port: 1, folder: "/python" };
    assertEquals(pythonVariables(place, { PYTHONPATH: "/own:/more" }, "linux").PYTHONPATH, "/python:/own:/more");
    const windows = pythonVariables({ port: 1, folder: "C:\\python" }, { PythonPath: "D:\\own" }, "windows");
    assertEquals(windows.PYTHONPATH, "C:\\python;D:\\own");
  });
});
