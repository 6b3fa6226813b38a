import { assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { AccessError } from "../../src/cluster/access.ts";
import { checkClientCertificate } from "../../src/cluster/client_certificate.ts";
import { CertificateAuthority } from "../practice/certificate_authority.ts";

const authority = await CertificateAuthority.create("ca");
const good = await authority.issue({ commonName: "me" });
const old = await authority.issue({ commonName: "me", expired: true });

function messageFor(chain: string, key: string): string {
  return assertThrows(() => checkClientCertificate({ chain, key }, 'user "me"', Date.now()), AccessError).message;
}

describe("checkClientCertificate", () => {
  it("lets a certificate with its own key pass", () => {
    checkClientCertificate({ chain: good.certificate, key: good.key }, 'user "me"', Date.now());
  });

  it("names the day on which it expired, and the machine's own", () => {
    const message = messageFor(old.certificate, old.key);
    assertStringIncludes(message, 'of user "me" expired on ');
    assertStringIncludes(message, new Date().toISOString().slice(0, 10));
  });

  it("tells apart what is wrong", () => {
    assertStringIncludes(messageFor("nonsense", good.key), "not a certificate in PEM form");
    assertStringIncludes(messageFor(good.certificate, "nonsense"), "not a private key in PEM form");
    assertStringIncludes(messageFor(good.certificate, old.key), "do not belong together");
    const locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assertStringIncludes(messageFor(good.certificate, locked), "protected by a password");
  });
});
