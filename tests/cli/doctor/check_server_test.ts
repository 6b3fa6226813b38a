import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { checkServer } from "../../../src/cli/doctor/check_server.ts";
import type { Finding } from "../../../src/cli/doctor/finding.ts";
import { type Access, AccessError } from "../../../src/cluster/access.ts";
import { BufferedReader } from "../../../src/stream/buffered_reader.ts";
import { connectTcp } from "../../../src/stream/connect_tcp.ts";
import { listenTcp } from "../../../src/stream/listen_tcp.ts";
import { FakeClock } from "../../fake_clock.ts";

const signal = new AbortController().signal;

function accessTo(port: number, changes: Partial<Access> = {}): Access {
  return {
    context: "kind",
    namespace: "dev",
    user: "me",
    server: new URL(`https://127.0.0.1:${port}`),
    connect: (signal) => connectTcp("127.0.0.1", port, signal),
    headers: () => Promise.resolve([]),
    renew: () => Promise.resolve(false),
    ...changes,
  };
}

/** What is found at a server that gives this answer to everything. */
async function findingsFor(answer: string): Promise<readonly Finding[]> {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, async (stream) => {
    await new BufferedReader(stream).head(4096);
    await stream.write(new TextEncoder().encode(answer));
    stream.close();
  });
  try {
    return await checkServer(accessTo(listener.port), new FakeClock(), signal);
  } finally {
    await listener.close();
  }
}

const clock = new FakeClock();
const httpDate = (skew: number) => new Date(clock.wall() - skew * 1000).toUTCString();
const answer = (status: string, body: string, date = httpDate(0)) =>
  `HTTP/1.1 ${status}\r\nDate: ${date}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const version = (minor: number) => `{"major":"1","gitVersion":"v1.${minor}.2"}`;

function states(findings: readonly Finding[]): string[] {
  return findings.map(({ subject, state }) => `${subject} ${state}`);
}

describe("checkServer", () => {
  it("is content with a server that answers, and whose clock agrees", async () => {
    const findings = await findingsFor(answer("200 OK", version(34)));
    assertEquals(states(findings), ["network and TLS ok", "server version ok", "clock ok"]);
    assertStringIncludes(findings[1]!.what, "Kubernetes v1.34.2");
  });

  it("tells a clock that is off, which way and by how much", async () => {
    for (const [skew, expected] of [[300, "300 s ahead of"], [-120, "120 s behind"]] as const) {
      const finding = (await findingsFor(answer("200 OK", version(34), httpDate(skew)))).at(-1)!;
      assertEquals([finding.subject, finding.state], ["clock", "warn"]);
      assertStringIncludes(finding.what, expected);
    }
  });

  it("says nothing of a clock that the server does not tell", async () => {
    assertEquals(states(await findingsFor(answer("200 OK", version(34), "whenever"))).length, 2);
  });

  it("tells an old server, one that does not know us, and what is no Kubernetes", async () => {
    assertEquals((await findingsFor(answer("200 OK", version(20))))[1]!.state, "warn");
    assertEquals(states(await findingsFor(answer("401 Unauthorized", "{}")))[1], "credentials fail");
    assertEquals(states(await findingsFor(answer("403 Forbidden", "{}")))[1], "server version warn");
    assertEquals(states(await findingsFor(answer("200 OK", "<html>Log in")))[1], "server fail");
    assertEquals(states(await findingsFor("")), ["server fail"]);
    assertEquals(states(await findingsFor("garbage\r\n\r\n")), ["network fail"]);
  });

  it("files what stands in the way under its subject, with the error's own sentence", async () => {
    const failing = (kind: AccessError["kind"]) =>
      checkServer(accessTo(1, { connect: () => Promise.reject(new AccessError(kind, "say so")) }), clock, signal);
    const cases = [["tls", "TLS"], ["proxy", "proxy"], ["timeout", "network"], ["unreachable", "network"]] as const;
    for (const [kind, subject] of cases) {
      assertEquals(await failing(kind), [{ subject, state: "fail", what: "say so", next: "" }]);
    }
    const plugin = () => Promise.reject(new AccessError("credentials", 'plugin "aws" is not there'));
    assertEquals(states(await checkServer(accessTo(1, { headers: plugin }), clock, signal)), ["credentials fail"]);
  });
});
