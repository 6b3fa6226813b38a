import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { pathToFileURL } from "node:url";
import { describe, it } from "@std/testing/bdd";
import { Failure } from "../../src/platform/failure.ts";
import { systemPac } from "../../src/proxy/system_pac.ts";

const none = { autoConfigUrl: undefined, server: undefined, override: "" };
const script = 'function FindProxyForURL(url, host) { return "DIRECT"; } // the end';

describe("systemPac", () => {
  it("is nothing where the user has set nothing", async () => {
    assertEquals(await systemPac(none), undefined);
  });

  it("is made from a fixed proxy", async () => {
    assertStringIncludes((await systemPac({ ...none, server: "corp:3128" }))!, "PROXY corp:3128");
  });

  it("is the user's own PAC file, fetched or read, which comes before a fixed proxy", async () => {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response(script));
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(file, script);
      for (const autoConfigUrl of [`http://127.0.0.1:${server.addr.port}/p.pac`, pathToFileURL(file).href]) {
        assertEquals(await systemPac({ ...none, autoConfigUrl, server: "corp:3128" }), script);
      }
    } finally {
      await Deno.remove(file);
      await server.shutdown();
    }
  });

  it("refuses what a server has instead of it, or too much of", async () => {
    const answers: Record<string, () => Response> = {
      "/404": () => new Response("no", { status: 404 }),
      "/huge": () => new Response("/".repeat(1024 * 1024 + 1)),
    };
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => answers[new URL(request.url).pathname]!(),
    );
    try {
      const url = `http://127.0.0.1:${server.addr.port}`;
      await assertRejects(() => systemPac({ ...none, autoConfigUrl: `${url}/404` }), Failure, "status 404");
      await assertRejects(() => systemPac({ ...none, autoConfigUrl: `${url}/huge` }), Failure, "1 MiB");
    } finally {
      await server.shutdown();
    }
  });

  it("refuses scripts that would end ours early, and names that are no URL", async () => {
    for (const broken of ["<html>", "} evil(); {", "function FindProxyForURL( {"]) {
      await assertRejects(
        () => systemPac({ ...none, autoConfigUrl: "http://corp/p.pac" }, () => Promise.resolve(broken)),
        Failure,
        '"http://corp/p.pac"',
      );
    }
    await assertRejects(() => systemPac({ ...none, autoConfigUrl: "p.pac" }), Failure, '"p.pac"');
  });
});
