import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { onlyFilesAndDns } from "../../../src/wiring/isolation/enter_network.ts";

describe("onlyFilesAndDns", () => {
  it("takes every other source of host names out, and leaves the rest", () => {
    const given = "passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\nnetworks: files\n";
    assertEquals(onlyFilesAndDns(given), "passwd: files\n\nnetworks: files\nhosts: files dns\n");
  });

  it("adds the line where there is none", () => {
    assertEquals(onlyFilesAndDns("passwd: files"), "passwd: files\nhosts: files dns\n");
  });
});
