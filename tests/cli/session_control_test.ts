import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { askSession } from "../../src/cli/session_control.ts";
import type { SessionNote } from "../../src/cli/session_note.ts";
import { BufferedReader } from "../../src/stream/buffered_reader.ts";
import { listenTcp } from "../../src/stream/listen_tcp.ts";

/** Serves one answer to whoever comes; gives the request heads it got. */
async function withServer(
  answer: string | undefined,
  action: (note: SessionNote, heads: string[]) => Promise<void>,
): Promise<void> {
  const heads: string[] = [];
  const silent: { reset(): void }[] = [];
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
    const head = await new BufferedReader(stream).head(4096).catch(() => null);
    heads.push(new TextDecoder().decode(head ?? new Uint8Array()));
    if (answer === undefined) return void silent.push(stream);
    await stream.write(new TextEncoder().encode(answer)).catch(() => {});
    stream.close();
  });
  const note = { name: "x", id: "i", port: listener.port, token: "t0k" } as SessionNote; // all that asking needs
  try {
    await action(note, heads);
  } finally {
    silent.forEach((stream) => stream.reset());
    await listener.close();
  }
}

const soon = () => AbortSignal.timeout(500);

describe("askSession", () => {
  it("shows the token and reads the answer", async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"session":"i"}';
    await withServer(answer, async (note, heads) => {
      assertEquals(await askSession(note, "/status", soon()), { session: "i" });
      assertEquals(heads[0]!.startsWith("GET /status HTTP/1.1\r\n"), true);
      assertEquals(/\r\nAuthorization: Bearer t0k\r\n/.test(heads[0]!), true);
      await askSession(note, "/stop", soon());
      assertEquals(heads[1]!.startsWith("POST /stop "), true);
    });
  });

  it("gives undefined for anything that is not such a session", async () => {
    for (
      const answer of [
        "",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
      ]
    ) {
      await withServer(
        answer,
        async (note) => assertEquals(await askSession(note, "/status", soon()), undefined, answer),
      );
    }
  });

  it("waits no longer than it is told", async () => {
    await withServer(
      undefined,
      async (note) => assertEquals(await askSession(note, "/status", AbortSignal.timeout(50)), undefined),
    );
  });

  it("gives undefined where nobody listens", async () => {
    let free = 0;
    await withServer("", (note) => Promise.resolve(void (free = note.port)));
    assertEquals(await askSession({ port: free, token: "" } as SessionNote, "/status", soon()), undefined);
  });
});
