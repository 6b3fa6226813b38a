import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import { Oidc, type OidcConfig } from "../../src/cluster/oidc.ts";
import { silentLog } from "../../src/platform/log.ts";
import { FakeClock } from "../fake_clock.ts";

const signal = new AbortController().signal;

/** An id-token that ends so many seconds after the epoch; issuers sign it, which is not ours to check. */
function jwt(exp: number): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "none" })}.${part({ exp, name: "ÿ?>" })}.signature`;
}

interface Issuer extends AsyncDisposable {
  readonly config: OidcConfig;
  readonly clock: FakeClock;
  readonly warnings: string[];
  /** Forms that came to the token endpoint, with the Authorization header. */
  readonly requests: { form: Record<string, string>; authorization: string | null }[];
  answer: () => Response;
  discovery: Record<string, unknown>;
  open(config?: OidcConfig): Oidc;
}

function startIssuer(): Issuer {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const requests: Issuer["requests"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (new URL(request.url).pathname === "/realm/.well-known/openid-configuration") {
      return Response.json(issuer.discovery);
    }
    const form = Object.fromEntries([...await request.formData()].map(([name, value]) => [name, String(value)]));
    requests.push({ form, authorization: request.headers.get("authorization") });
    return issuer.answer();
  });
  const base = `http://127.0.0.1:${server.addr.port}/realm`;
  const now = clock.wall() / 1000;
  const issuer: Issuer = {
    clock,
    warnings,
    requests,
    discovery: { token_endpoint: `${base}/token` },
    answer: () => Response.json({ id_token: jwt(clock.wall() / 1000 + 600) }),
    config: {
      "idp-issuer-url": `${base}/`,
      "client-id": "hawser",
      "client-secret": "p:w",
      "id-token": jwt(now + 60),
      "refresh-token": "refresh-1",
    },
    open: (config = {}) =>
      new Oidc("me", { ...issuer.config, ...config }, {
        clock,
        log: { ...silentLog, warn: (message) => void warnings.push(message) },
      }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return issuer;
}

describe("Oidc", () => {
  it("uses the id-token until shortly before it expires, then gets another", async () => {
    await using issuer = startIssuer();
    const oidc = issuer.open();
    assertEquals(await oidc.authorization(signal), `Bearer ${issuer.config["id-token"]}`);
    assertEquals(issuer.requests.length, 0);
    await issuer.clock.advance(51_000);
    const fresh = jwt(issuer.clock.wall() / 1000 + 600);
    const all = await Promise.all([oidc.authorization(signal), oidc.authorization(signal)]);
    assertEquals(all, [`Bearer ${fresh}`, `Bearer ${fresh}`]);
    assertEquals(issuer.requests, [{
      form: { grant_type: "refresh_token", refresh_token: "refresh-1" },
      authorization: `Basic ${btoa("hawser:p%3Aw")}`,
    }]);
  });

  it("sends the secret in the form where the issuer wants it there", async () => {
    await using issuer = startIssuer();
    issuer.discovery = { ...issuer.discovery, token_endpoint_auth_methods_supported: ["client_secret_post"] };
    await issuer.open({ "id-token": "" }).authorization(signal);
    assertEquals(issuer.requests[0]?.form["client_id"], "hawser");
    assertEquals(issuer.requests[0]?.form["client_secret"], "p:w");
    assertEquals(issuer.requests[0]?.authorization, null);
  });

  it("sends no secret where the client is public", async () => {
    await using issuer = startIssuer();
    await issuer.open({ "id-token": "", "client-secret": undefined }).authorization(signal);
    assertEquals(issuer.requests[0]?.form["client_id"], "hawser");
    assertEquals(issuer.requests[0]?.form["client_secret"], undefined);
  });

  it("uses a replaced refresh token, and warns that others do not know it", async () => {
    await using issuer = startIssuer();
    const oidc = issuer.open({ "id-token": "" });
    issuer.answer = () => Response.json({ id_token: jwt(0), refresh_token: "refresh-2" });
    await oidc.authorization(signal);
    await oidc.authorization(signal);
    assertEquals(issuer.requests.map(({ form }) => form["refresh_token"]), ["refresh-1", "refresh-2"]);
    assertEquals(issuer.warnings.length, 1);
    assertFalse(issuer.warnings[0]?.includes("refresh-2"));
  });

  it("gets another token after a 401", async () => {
    await using issuer = startIssuer();
    const oidc = issuer.open();
    assert(await oidc.renew(signal));
    assertFalse(await issuer.open({ "refresh-token": "" }).renew(signal));
  });

  it("says that one has to log in again when the refresh token is dead", async () => {
    await using issuer = startIssuer();
    issuer.answer = () =>
      Response.json({ error: "invalid_grant", error_description: "refresh-1 is dead" }, { status: 400 });
    const error = await assertRejects(() => issuer.open({ "id-token": "" }).authorization(signal), AccessError);
    assertEquals(error.kind, "credentials");
    assertStringIncludes(error.message, 'user "me"');
    assertStringIncludes(error.message, "log in again");
    assertFalse(error.message.includes("refresh-1"));
  });

  it("names what is missing or wrong", async () => {
    await using issuer = startIssuer();
    const expired = (config: OidcConfig) => issuer.open({ "id-token": "", ...config }).authorization(signal);
    await assertRejects(() => expired({ "refresh-token": "" }), AccessError, "no refresh-token");
    await assertRejects(() => expired({ "idp-issuer-url": "" }), AccessError, "no idp-issuer-url");
    await assertRejects(() => expired({ "client-id": "" }), AccessError, "no client-id");
    issuer.answer = () => Response.json({ access_token: "x" });
    await assertRejects(() => expired({}), AccessError, "without an id_token");
    issuer.answer = () => Response.json({ error: "invalid_client" }, { status: 401 });
    await assertRejects(() => expired({}), AccessError, "invalid_client");
    issuer.discovery = {};
    await assertRejects(() => expired({}), AccessError, "no OpenID Connect discovery document");
    await assertRejects(
      () => expired({ "idp-certificate-authority": "/no/such" }),
      AccessError,
      "idp-certificate-authority",
    );
  });
});
