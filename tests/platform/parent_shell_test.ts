import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { permissions } from "../../scripts/permissions.ts";
import { parentShell } from "../../src/platform/parent_shell.ts";

const named = (name: string) => () => Promise.resolve(name);

describe("parentShell", () => {
  it("goes by the parent process, as login shells and paths spell it", async () => {
    for (
      const [name, shell] of [["fish\n", "fish"], ["-zsh", "zsh"], ["/bin/bash", "bash"], ["dash", "bash"], [
        "pwsh",
        "powershell",
      ]]
    ) {
      assertEquals(await parentShell("linux", { SHELL: "/bin/tcsh" }, named(name!)), shell);
    }
  });

  it(
    "asks for the parent with no more rights than the executables have",
    { ignore: Deno.build.os === "windows" },
    async () => {
      const module = import.meta.resolve("../../src/platform/parent_shell.ts");
      const program = `import { parentShell } from "${module}";
      console.log(await parentShell(Deno.build.os, { SHELL: "/bin/zsh" }));`;
      const { stdout } = await new Deno.Command("sh", {
        // Not its last command, or sh would put Deno in its own place.
        args: ["-c", '"$@"; exit', "sh", Deno.execPath(), "run", ...permissions, `data:text/javascript,${program}`],
        stderr: "inherit",
      }).output();
      assertEquals(new TextDecoder().decode(stdout), "bash\n");
    },
  );

  it("goes by SHELL where the parent is no shell, and by bash where nothing is known", async () => {
    assertEquals(await parentShell("darwin", { SHELL: "/opt/bin/fish" }, named("make")), "fish");
    assertEquals(await parentShell("linux", {}, named("")), "bash");
  });

  it("tells the shells of Windows by what they leave in the environment", async () => {
    const user = "C:\\Users\\a\\Documents\\WindowsPowerShell\\Modules;C:\\Program Files\\WindowsPowerShell\\Modules";
    assertEquals(await parentShell("windows", { PSModulePath: user }), "powershell");
    const redirected = "\\\\server\\home\\a\\Dokumente\\PowerShell\\Modules;C:\\Program Files\\PowerShell\\Modules";
    assertEquals(await parentShell("windows", { PSModulePath: redirected }), "powershell");
    const machine =
      "C:\\Program Files\\WindowsPowerShell\\Modules;C:\\WINDOWS\\system32\\WindowsPowerShell\\v1.0\\Modules";
    assertEquals(await parentShell("windows", { PSModulePath: machine }), "cmd");
    assertEquals(await parentShell("windows", { MSYSTEM: "MINGW64", PSModulePath: user }), "bash");
  });
});
