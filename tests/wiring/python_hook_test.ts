import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonVariables } from "../../src/wiring/python_variables.ts";
import { openEchoServer } from "./echo_server.ts";
import { type FakeFrontDoor, openFakeFrontDoor } from "./fake_front_door.ts";

const folder = fileURLToPath(new URL("../../src/wiring/python_hook", import.meta.url));
const command = Deno.build.os === "windows" ? "python" : "python3";

/** Whether there is a Python that the hook is for. */
async function hasPython(): Promise<boolean> {
  try {
    const args = ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"];
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Runs a script, by itself where there is no front door, and gives the lines that it wrote. Fails where it did, or took 15 s. */
async function python(
  source: string,
  frontDoor: Pick<FakeFrontDoor, "port"> | undefined,
  own: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const { PYTHONPATH: _, ...env } = Deno.env.toObject();
  const hook = frontDoor ? pythonVariables({ port: frontDoor.port, folder }, own, Deno.build.os) : {};
  const output = await new Deno.Command(command, {
    args: ["-c", `${prelude}\n${source}`],
    env: { ...env, PYTHONDONTWRITEBYTECODE: "1", ...own, ...hook },
    clearEnv: true,
    signal: AbortSignal.timeout(15_000),
  }).output();
  assertEquals(new TextDecoder().decode(output.stderr), "");
  assert(output.success, `${command} ended with ${output.code}`);
  return new TextDecoder().decode(output.stdout).trimEnd().split(/\r?\n/);
}

const prelude = `
import socket, sys, time
def echo(connection):
    connection.sendall(b"x")
    connection.shutdown(socket.SHUT_WR)
    print(connection.recv(10).decode())
    connection.close()
`;

/** Lines that install the hook with the clock and the sockets that are there then. */
const installed = ({ port }: Pick<FakeFrontDoor, "port">) => `
import os
os.environ["HAWSER_HOOK_PORT"] = "${port}"
sys.path.insert(0, ${JSON.stringify(folder)})
sys.modules.pop("sitecustomize", None)
import sitecustomize
`;

const cluster = (port: number) => ({
  ports: { "db:5432": port, "10.42.0.7:5432": port, "fd00::7:5432": port, "198.18.0.5:5432": port },
  addresses: { db: "198.18.0.5" },
});

describe("the Python hook", { ignore: !await hasPython() }, () => { // where PATH has no Python, there is nothing to hook
  it("leads connections to names and addresses of pods, in whichever form they are asked for", async () => {
    await using echo = openEchoServer();
    await using frontDoor = openFakeFrontDoor(cluster(echo.port));
    const lines = await python(
      `
echo(socket.create_connection(("db", 5432), 5))
echo(socket.create_connection(("10.42.0.7", 5432)))
plain = socket.socket()
plain.connect((b"db", 5432))
echo(plain)
plain = socket.socket()
print(plain.connect_ex(("db", 5432)))
echo(plain)
if socket.has_ipv6:
    six = socket.socket(socket.AF_INET6)
    six.connect(("fd00::7", 5432))
    echo(six)
`,
      frontDoor,
    );
    assertEquals(lines, ["x", "x", "x", "0", "x", "x"]);
    assertEquals(frontDoor.asked.length, new Set(frontDoor.asked).size);
  });

  it("finds the address that stands for a name, but not for UDP or IPv6", async () => {
    await using frontDoor = openFakeFrontDoor(cluster(1));
    const lines = await python(
      `
print(socket.getaddrinfo("db", 5432, type=socket.SOCK_STREAM)[0][4], socket.gethostbyname("db"))
for more in {"type": socket.SOCK_DGRAM}, {"family": socket.AF_INET6}, {"flags": socket.AI_NUMERICHOST}:
    try:
        print(socket.getaddrinfo("db", 5432, **more)[0][4][0] == "198.18.0.5")
    except socket.gaierror:
        print("unknown")
`,
      frontDoor,
    );
    assertEquals(lines, ["('198.18.0.5', 5432) 198.18.0.5", "unknown", "unknown", "unknown"]);
  });

  it("serves asyncio", async () => {
    await using echo = openEchoServer();
    await using frontDoor = openFakeFrontDoor(cluster(echo.port));
    const lines = await python(
      `
import asyncio
async def main():
    for host in "db", "10.42.0.7":
        reader, writer = await asyncio.open_connection(host, 5432)
        writer.write(host.encode())
        writer.write_eof()
        print((await reader.read()).decode())
        writer.close()
    plain = socket.socket()
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("db", 5432))
    plain.setblocking(True)
    echo(plain)
asyncio.run(main())
`,
      frontDoor,
    );
    assertEquals(lines, ["db", "10.42.0.7", "x"]);
  });

  it("leads the event loop of Windows, which connects by means of its own", async () => {
    await using frontDoor = openFakeFrontDoor(cluster(7007));
    const lines = await python(
      `
import types
class IocpProactor:
    def connect(self, conn, address):
        return address
events = sys.modules["asyncio.windows_events"] = types.ModuleType("asyncio.windows_events")
events.IocpProactor = IocpProactor
for _ in range(2):
    address = socket.getaddrinfo("db", 5432, type=socket.SOCK_STREAM)[0][4]
print(IocpProactor().connect(socket.socket(), address))
print(IocpProactor().connect(socket.socket(type=socket.SOCK_DGRAM), address))
`,
      frontDoor,
    );
    assertEquals(lines, ["('127.0.0.1', 7007)", "('198.18.0.5', 5432)"]);
  });

  it("fails as Python does without it", async () => {
    await using frontDoor = openFakeFrontDoor(cluster(1));
    const source = `
def tried(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        print(repr(error))
tried(socket.create_connection, ("db.invalid", 1))
tried(socket.create_connection, ("127.0.0.1", 1))
tried(socket.socket().connect, ("127.0.0.1", 70000))
tried(socket.socket().connect, "db")
tried(socket.socket().connect, (None, 1))
tried(socket.getaddrinfo, "d b", 1)
tried(socket.getaddrinfo, 5, 1)
tried(socket.gethostbyname, None)
print(socket.socket().connect_ex(("127.0.0.1", 1)))
`;
    const without = await python(source, undefined);
    assertEquals([await python(source, frontDoor), without.length], [without, 9]);
  });

  it("goes its own way at once where the front door is gone, and after 5 s where it is silent", async () => {
    const answering = Promise.withResolvers<void>();
    await using frontDoor = openFakeFrontDoor({ before: () => answering.promise });
    const source = `
start = time.monotonic()
try:
    socket.getaddrinfo("db.invalid", 1)
except socket.gaierror:
    print(round((time.monotonic() - start) / 2.5))
`;
    assertEquals(await python(source, { port: 1 }), ["0"]);
    assertEquals(await python(source, frontDoor).finally(answering.resolve), ["2"]);
  });

  it("asks once for each destination, and anew after 10 s, when it may be another session's", async () => {
    await using echo = openEchoServer();
    await using frontDoor = openFakeFrontDoor(cluster(echo.port));
    const lines = await python(
      `
later = 0
monotonic = time.monotonic
time.monotonic = lambda: monotonic() + later
${installed(frontDoor)}
echo(socket.create_connection(("db", 5432)))
echo(socket.create_connection(("db", 5432)))
later = 10
echo(socket.create_connection(("db", 5432)))
`,
      undefined,
    );
    const once = ["GET /address?host=db", "PUT /port?host=198.18.0.5&port=5432"];
    assertEquals([lines, frontDoor.asked], [["x", "x", "x"], [...once, ...once]]);
  });

  it("knocks once at a front door that is gone, for whichever destination: Windows takes two seconds to refuse", async () => {
    const lines = await python(
      `
import _socket
class Refused(_socket.socket):
    def connect(self, address):
        print(address)
        raise ConnectionRefusedError()
_socket.socket = Refused
${installed({ port: 7 })}
for name in "a.invalid", "b.invalid":
    try:
        socket.gethostbyname(name)
    except socket.gaierror:
        print(name)
`,
      undefined,
    );
    assertEquals(lines, ["('127.0.0.1', 7)", "a.invalid", "b.invalid"]);
  });

  it("runs the user's own sitecustomize, and is seen by nobody", async () => {
    const own = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(join(own, "sitecustomize.py"), "import sys\nprint('own', __name__)\nvalue = 7\n");
      const source = `
import sitecustomize
print(sitecustomize.value, any(entry.endswith("python_hook") for entry in sys.path), socket.socket.connect.__name__)
`;
      assertEquals(await python(source, { port: 1 }, { PYTHONPATH: own }), ["own sitecustomize", "7 False connect"]);
      await Deno.writeTextFile(join(own, "sitecustomize.py"), "raise KeyError('theirs')\n");
      const output = await new Deno.Command(command, {
        args: ["-c", "print('runs')"],
        env: {
          PYTHONDONTWRITEBYTECODE: "1",
          ...pythonVariables({ port: 1, folder }, { PYTHONPATH: own }, Deno.build.os),
        },
      }).output();
      const errors = new TextDecoder().decode(output.stderr);
      assertEquals([new TextDecoder().decode(output.stdout).trim(), errors.includes("theirs")], ["runs", true]);
    } finally {
      await Deno.remove(own, { recursive: true });
    }
  });

  it("is in child processes", async () => {
    await using echo = openEchoServer();
    await using frontDoor = openFakeFrontDoor(cluster(echo.port));
    const lines = await python(
      `
import subprocess
sys.stdout.flush()
child = "import socket; s = socket.create_connection(('db', 5432)); s.sendall(b'child'); print(s.recv(5).decode())"
subprocess.run([sys.executable, "-c", child], check=True)
`,
      frontDoor,
    );
    assertEquals(lines, ["child"]);
  });
});
