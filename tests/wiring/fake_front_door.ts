/** What hooks inside programs ask, with fixed answers. */
export interface FakeFrontDoor extends AsyncDisposable {
  readonly port: number;
  /** What it was asked so far: `PUT /port?host=db&port=5432`. */
  readonly asked: readonly string[];
}

/** What a {@linkcode FakeFrontDoor} answers. */
export interface FakeCluster {
  /** Ports of 127.0.0.1 by `host:port`. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Made-up addresses by name. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** What it does before it answers. */
  readonly before?: (path: string) => Promise<void>;
}

/** Opens a front door that has nothing but the pages for hooks. It throws at once where it is asked in another way than agreed. */
export function openFakeFrontDoor({ ports = {}, addresses = {}, before }: FakeCluster): FakeFrontDoor {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search, searchParams, host } = new URL(request.url);
    asked.push(`${request.method} ${pathname}${search}`);
    await before?.(pathname);
    const agreed = host === `127.0.0.1:${server.addr.port}` && request.headers.get("content-length") !== null;
    const name = searchParams.get("host") ?? "";
    if (!agreed) return new Response("no such page", { status: 403 });
    switch (`${request.method} ${pathname}`) {
      case "GET /address":
        return new Response(addresses[name] ?? "");
      case "PUT /port":
        return new Response(String(ports[`${name}:${searchParams.get("port")}`] ?? ""));
    }
    return new Response("no such page", { status: 404 });
  });
  return { port: server.addr.port, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}
