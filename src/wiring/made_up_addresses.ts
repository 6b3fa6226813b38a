import { fnv1a } from "../platform/fnv1a.ts";

/** 198.18.0.0/15, set aside for tests of network devices (RFC 2544): no host on the Internet or in a cluster has such an address. */
const first = 0xc612_0000;
const size = 0x2_0000;

/**
 * Addresses that stand for names, for programs that want one before they connect. A name keeps its address while the session lives, and mostly
 * has the same one in the next: it is made from the name.
 */
export class MadeUpAddresses {
  readonly #addresses = new Map<string, string>();
  readonly #names = new Map<string, string>();

  /** The address that stands for a name. Throws a RangeError once all are given away. */
  addressOf(host: string): string {
    const name = host.toLowerCase().replace(/\.$/, "");
    const known = this.#addresses.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= size) throw new RangeError("All made-up addresses are given away");
    for (let at = fnv1a(name);; at++) {
      const number = first + at % size;
      const address = [number >>> 24, number >>> 16 & 0xff, number >>> 8 & 0xff, number & 0xff].join(".");
      if (this.#names.has(address)) continue;
      this.#addresses.set(name, address);
      this.#names.set(address, name);
      return address;
    }
  }

  /** The name an address stands for; undefined where it is none of ours. */
  nameOf(address: string): string | undefined {
    return this.#names.get(address);
  }
}
