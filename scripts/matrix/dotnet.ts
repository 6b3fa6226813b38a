import { fileURLToPath } from "node:url";
import { succeed } from "./command.ts";
import { isolation, rewriting, variables } from "./layer.ts";
import { prepared } from "./prepared.ts";
import type { Program } from "./program.ts";

const source = fileURLToPath(new URL("programs/dotnet/Clients.cs", import.meta.url));
/** A runtime in PyPI, which is where one can be had without Microsoft's servers. */
const runtime = "dotnetcore2==3.1.23";
const frameworkVersion = "3.1.0";

/** `Clients.cs` knows each by this name. */
const clients = ["HttpClient", "TcpClient, service", "TcpClient, pod's name", "TcpClient, pod's IP"];

/** What .NET brings itself; drivers of databases use its TcpClient or the sockets under it. */
export async function dotnetPrograms(): Promise<Program[]> {
  const folder = await prepared("dotnet", await Deno.readTextFile(source) + runtime, async (folder) => {
    await succeed(["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, runtime]);
    // Mono's compiler against the runtime's own assemblies: the framework's is in the SDK.
    const references =
      '$(for each in "$0"/dotnetcore2/bin/shared/*/*/System*.dll; do case $each in *Native*) ;; *) echo "-r:$each" ;; esac; done)';
    await succeed([
      "sh",
      "-c",
      `exec mcs -noconfig -nostdlib -nologo ${references} -out:"$0/clients.dll" "$1"`,
      folder,
      source,
    ]);
    const runtimeOptions = {
      framework: { name: "Microsoft.NETCore.App", version: frameworkVersion },
      configProperties: { "System.Globalization.Invariant": true },
    };
    await Deno.writeTextFile(`${folder}/clients.runtimeconfig.json`, JSON.stringify({ runtimeOptions }));
  });
  return [{
    family: ".NET",
    runtime: ".NET Core 3.1",
    clients,
    words: (clients) => [`${folder}/dotnetcore2/bin/dotnet`, `${folder}/clients.dll`, ...clients],
    answers: "lines",
    layers: [variables, rewriting, isolation],
  }];
}
