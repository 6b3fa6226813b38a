import { assertEquals, assertNotEquals } from "@std/assert";
import { getAvailablePort } from "@std/net/get-available-port";
import { describe, it } from "@std/testing/bdd";

describe("getAvailablePort", () => {
  it("answers a port that can be listened on", () => {
    using listener = Deno.listen({ port: getAvailablePort() });
    assertNotEquals(listener.addr.port, 0);
  });

  it("answers the preferred port while nobody listens on it", () => {
    const preferredPort = getAvailablePort();
    assertEquals(getAvailablePort({ preferredPort }), preferredPort);
    using _listener = Deno.listen({ port: preferredPort });
    assertNotEquals(getAvailablePort({ preferredPort }), preferredPort);
  });
});
