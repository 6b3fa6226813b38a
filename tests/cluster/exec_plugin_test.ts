import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import { ExecPlugin } from "../../src/cluster/exec_plugin.ts";
import type { ExecCredential } from "../../src/cluster/run_exec_plugin.ts";
import { FakeClock } from "../fake_clock.ts";
import { CertificateAuthority } from "../practice/certificate_authority.ts";

const signal = new AbortController().signal;

/** A plugin that is run by hand. */
class Runs {
  readonly clock = new FakeClock();
  count = 0;
  signals: AbortSignal[] = [];
  next: (signal: AbortSignal) => Promise<ExecCredential> = () => Promise.resolve(this.token(Infinity));
  readonly plugin = new ExecPlugin({
    user: "me",
    run: (signal) => {
      this.count++;
      this.signals.push(signal);
      return this.next(signal);
    },
  }, { clock: this.clock });

  /** A token named after the run, good for so many milliseconds from now. */
  token(life: number): ExecCredential {
    return { token: `token-${this.count}`, certificate: undefined, expires: this.clock.wall() + life };
  }
}

describe("ExecPlugin", () => {
  it("runs once for all who ask at the same time", async () => {
    const runs = new Runs();
    const all = await Promise.all([1, 2, 3].map(() => runs.plugin.authorization(signal)));
    assertEquals(all, ["Bearer token-1", "Bearer token-1", "Bearer token-1"]);
    assertEquals(await runs.plugin.authorization(signal), "Bearer token-1");
    assertEquals(runs.count, 1);
  });

  it("runs again shortly before the credential ends", async () => {
    const runs = new Runs();
    runs.next = () => Promise.resolve(runs.token(60_000));
    await runs.plugin.authorization(signal);
    await runs.clock.advance(39_000);
    assertEquals(await runs.plugin.authorization(signal), "Bearer token-1");
    await runs.clock.advance(2_000);
    assertEquals(await runs.plugin.authorization(signal), "Bearer token-2");
  });

  it("tells new credentials from the refused ones after a 401", async () => {
    const runs = new Runs();
    await runs.plugin.authorization(signal);
    await runs.clock.advance(10_000);
    assert(await runs.plugin.renew(signal));
    assertEquals(await runs.plugin.authorization(signal), "Bearer token-2");
    await runs.clock.advance(10_000);
    runs.next = () => Promise.resolve({ token: "token-2", certificate: undefined, expires: Infinity });
    assertFalse(await runs.plugin.renew(signal));
  });

  it("does not run again for a 401 that was about the credential before", async () => {
    const runs = new Runs();
    await runs.plugin.authorization(signal);
    await runs.clock.advance(10_000);
    await Promise.all([runs.plugin.renew(signal), runs.plugin.renew(signal)]);
    assert(await runs.plugin.renew(signal));
    assertEquals(runs.count, 2);
  });

  it("tries again after a failure", async () => {
    const runs = new Runs();
    runs.next = () => Promise.reject(new AccessError("credentials", "no session"));
    await assertRejects(() => runs.plugin.authorization(signal), AccessError, "no session");
    runs.next = () => Promise.resolve(runs.token(Infinity));
    assertEquals(await runs.plugin.authorization(signal), "Bearer token-2");
  });

  it("calls a run off only when the last of those who wait has gone", async () => {
    const runs = new Runs();
    const answer = Promise.withResolvers<ExecCredential>();
    runs.next = () => answer.promise;
    const [one, other] = [new AbortController(), new AbortController()];
    const first = assertRejects(() => runs.plugin.authorization(one.signal), Error, "gone");
    const second = runs.plugin.authorization(other.signal);
    one.abort(new Error("gone"));
    await first;
    assertFalse(runs.signals[0]?.aborted);
    answer.resolve(runs.token(Infinity));
    assertEquals(await second, "Bearer token-1");

    runs.next = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await runs.clock.advance(10_000);
    const lonely = new AbortController();
    const third = assertRejects(() => runs.plugin.renew(lonely.signal), Error, "gone");
    lonely.abort(new Error("gone"));
    await third;
    assert(runs.signals[1]?.aborted);
  });

  it("gives a client certificate, but not an expired one", async () => {
    const authority = await CertificateAuthority.create("ca");
    const runs = new Runs();
    const good = await authority.issue({ commonName: "me" });
    const wall = Date.now();
    runs.clock.wall = () => wall;
    runs.next = () =>
      Promise.resolve({ token: undefined, certificate: { chain: good.certificate, key: good.key }, expires: Infinity });
    assertEquals((await runs.plugin.certificate(signal))?.chain, good.certificate);
    assertEquals(await runs.plugin.authorization(signal), undefined);
    const old = await authority.issue({ commonName: "me", expired: true });
    runs.next = () =>
      Promise.resolve({ token: undefined, certificate: { chain: old.certificate, key: old.key }, expires: Infinity });
    await runs.clock.advance(10_000);
    await assertRejects(() => runs.plugin.renew(signal), AccessError, "expired on");
  });
});
