import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startAnswering } from "./answering_program.mjs";
import { eventually, InboundScene, workload } from "./inbound_scene.ts";
import { service } from "./manifests.ts";
import { together } from "./together.ts";

/** Answers of the service and of the laptop, in turn. */
const inTurn = (marked: string, unmarked: string) => [marked, unmarked, marked, unmarked, unmarked, marked];

describe("traffic that comes in", () => {
  const stack = new AsyncDisposableStack();
  let inbound: InboundScene;
  let laptop: Awaited<ReturnType<typeof startAnswering>>;
  let before: readonly unknown[];

  beforeAll(async () => {
    inbound = stack.use(await InboundScene.open("inbound"));
    laptop = stack.use(await startAnswering("laptop", { host: "127.0.0.1" }));
    const sts = { ...workload("db", 2, ["answering_program.mjs", "db", "8080", "8081"]), serviceName: "db" };
    const ports = [{ name: "http", port: 80, targetPort: 8080 }];
    await inbound.scene.apply(
      { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db" }, spec: sts },
      service("db", { ports }),
    );
    await Promise.all([
      ...["exchanged", "meshed", "both", "mixed", "messages", "calls", "again"].map((name) => inbound.serve(name)),
      // A headless service leads to the pods' own ports, whatever it says itself.
      inbound.scene.apply(
        service("headless", {
          selector: { app: "web" },
          clusterIP: "None",
          ports: [{ name: "http", port: 8080, targetPort: 8080 }],
        }),
      ),
      inbound.scene.ready("statefulset/db"),
    ]);
    await inbound.answers("db", "db");
    before = await inbound.objects();
  });

  afterAll(() => stack.disposeAsync());

  together({
    "exchanges a service and gives it back exactly as it was, without a failed request": async () => {
      const before = await inbound.state("exchanged");
      const traffic = await inbound.load("exchanged");
      const exchange = await inbound.started("exchange", "exchanged", laptop.httpPort);
      assertEquals(JSON.parse(await exchange.line()).kind, "exchange");
      assertEquals((await exchange.stop()).code, 130);
      assertEquals(await inbound.ask("exchanged"), "web");
      const { answered, failed, by } = await traffic.stop();
      assertEquals(failed, []);
      assert(answered > 50 && by["laptop"]! > 0, `only ${answered} requests, ${JSON.stringify(by)}`);
      await inbound.restored("exchanged", before);
    },

    "two_developers_mesh_one_service: each gets the requests with their mark, the pods get the rest; same_mark_refused":
      async () => {
        const before = await inbound.state("meshed");
        const port = laptop.httpPort;
        await using blue = await inbound.started("mesh", "meshed", port, "--version-mark", "VERSION:blue");
        await using green = await inbound.started("mesh", "meshed", port, "--version-mark", "VERSION:green");
        const asked = async () =>
          await Promise.all(["blue", "green", "red"].map((mark) => inbound.ask("meshed", mark)));
        await inbound.answersAll("meshed", ["blue", "green"], "laptop");
        assertEquals([...await asked(), await inbound.ask("meshed")], ["laptop", "laptop", "web", "web"]);
        const same = await inbound.start("mesh", "meshed", port, "--version-mark", "VERSION:blue").ended;
        assertEquals(same.code, 1);
        assertMatch(same.stderr, /alice@\S+ has the mark header version is "blue" on service "meshed" already/);
        assertStringIncludes((await inbound.run("status", "--cluster")).stdout, "meshed");
        await blue.stop();
        assertEquals(await asked(), ["web", "laptop", "web"]);
        await green.stop();
        await inbound.restored("meshed", before);
      },

    "asks the mesh first, then the exchange, then the original pods": async () => {
      const before = await inbound.state("both");
      await using other = await startAnswering("colleague", { host: "127.0.0.1" });
      await using exchange = await inbound.started("exchange", "both", laptop.httpPort);
      await using mesh = await inbound.started("mesh", "both", other.httpPort, "--version-mark", "VERSION:blue");
      const asked = async () => [await inbound.ask("both", "blue"), await inbound.ask("both")];
      assertEquals(await asked(), ["colleague", "laptop"]);
      await mesh.stop();
      assertEquals(await asked(), ["laptop", "laptop"]);
      await exchange.stop();
      assertEquals(await asked(), ["web", "web"]);
      await inbound.restored("both", before);
    },

    "keep_alive_mixed_users: requests of one connection go each where their own mark says": async () => {
      await using _mesh = await inbound.started("mesh", "mixed", laptop.httpPort, "--version-mark", "VERSION:blue");
      await inbound.answersAll("mixed", ["blue"], "laptop");
      const asked = { do: "askOnOneConnection", host: "mixed", marks: inTurn("blue", "red") };
      const { bodies, connections } = await inbound.inside<{ bodies: string[]; connections: number }>(asked);
      assertEquals(bodies, inTurn("laptop blue", "web red"));
      assertEquals(connections, 1);
    },

    "websocket_meshed: a marked one is the laptop's, an unmarked one is not": async () => {
      await using _mesh = await inbound.started("mesh", "messages", laptop.httpPort, "--version-mark", "VERSION:blue");
      await inbound.answersAll("messages", ["blue"], "laptop");
      const messages = ["one", "two", "three"];
      const talk = (headers: Record<string, string>) =>
        inbound.inside<string[]>({ do: "websocket", host: "messages", headers, messages });
      assertEquals(await talk({ version: "blue" }), messages.map((each) => `laptop ${each}`));
      assertEquals(await talk({}), messages.map((each) => `web ${each}`));
    },

    "grpc_bidirectional_stream_meshed: messages go both ways in turn, and the trailers come": async () => {
      const mark = ["--version-mark", "VERSION:blue"];
      await using mesh = inbound.start("mesh", "calls", `${laptop.http2Port}:calls`, ...mark);
      await mesh.line();
      const messages = ["one", "two", "three"];
      const call = (headers: Record<string, string>) =>
        inbound.inside<{ replies: string[] }>({ do: "call", host: "calls", port: 50051, headers, messages });
      const answer = (name: string) => ({
        replies: messages.map((each) => `${name} ${each}`),
        status: "0",
        count: "3",
      });
      const arrives = async () => (await call({ version: "blue" })).replies[0] === "laptop one";
      await eventually(arrives, 5_000, () => "the laptop gets calls");
      assertEquals([await call({ version: "blue" }), await call({})], [answer("laptop"), answer("web")]);
    },

    "headless_service_exchanged: callers find the laptop where they look the name up anew": async () => {
      const before = await inbound.state("headless");
      const exchange = inbound.start("exchange", "headless", `${laptop.httpPort}:8080`);
      const { warnings } = JSON.parse(await exchange.line());
      assertStringIncludes(warnings.join(), "headless");
      await inbound.answers("headless:8080", "laptop", 40_000);
      await exchange.stop();
      await inbound.answers("headless:8080", "web", 40_000);
      await inbound.restored("headless", before);
    },

    "statefulset_exchanged: all of its requests come, and its pods stay as they are": async () => {
      const before = await inbound.state("db");
      const pods = await inbound.scene.pods("db");
      const exchange = inbound.start("exchange", "sts/db", laptop.httpPort);
      assertEquals(JSON.parse(await exchange.line()).service, "db");
      await inbound.answers("db", "laptop", 5_000);
      await exchange.stop();
      assertEquals(await inbound.ask("db"), "db");
      assertEquals(await inbound.scene.pods("db"), pods);
      await inbound.restored("db", before);
    },

    "named_target_port: the agent takes it over, and what is not exposed stays with the pods": async () => {
      await using _exchange = await inbound.started("exchange", "again", laptop.httpPort);
      const call = { do: "call", host: "again", port: 50051, messages: ["one"] };
      assertEquals((await inbound.inside<{ replies: string[] }>(call)).replies, ["web one"]);
    },
  });

  it("leaves every object of the namespace as it was", async () => {
    await inbound.nothingLeft();
    assertEquals(await inbound.objects(), before);
  });
});
