import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseProcNetTcp, type TcpSocket } from "../../src/cluster/parse_proc_net_tcp.ts";
import { formatIp } from "../../src/platform/ip_address.ts";

const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/** An address as Linux prints it on a little-endian machine: each word of four bytes backwards. */
function hexOf(bytes: Uint8Array): string {
  const words = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(4 * at, 4 * at + 4).reverse().toHex());
  return words.join("").toUpperCase();
}

const bytesOf = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const portOf = fc.integer({ min: 0, max: 65535 });
const socketOf = fc.record({
  local: bytesOf,
  localPort: portOf,
  remotePort: portOf,
  state: fc.integer({ min: 1, max: 12 }),
})
  .chain((socket) =>
    fc.uint8Array({ minLength: socket.local.length, maxLength: socket.local.length }).map((remote) => ({
      ...socket,
      remote,
    }))
  );

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

describe("parseProcNetTcp", () => {
  it("reads what Linux prints for IPv4, IPv6, and IPv4 on a socket for both", () => {
    const text = `${head}` +
      "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 46893 1 0000000000000000 100 0 0 10 0\n" +
      "   1: 0500F40A:1F90 0900F40A:D5A2 01 00000000:00000000 02:000004A1 00000000  1000        0 46895 2 0000000000000000 20 4 30 10 -1\n" +
      `${head}` +
      "   0: 0000000000000000FFFF00000500F40A:1F90 0000000000000000FFFF00000900F40A:D5A4 01 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 1\n" +
      "   1: B80D01200000000000000000050000000:1F90 bad\n" +
      "   2: B80D0120000000000000000005000000:1F90 B80D0120000000000000000009000000:0050 06 00000000:00000000 00:00000000 0 0 0 1 1 0\n" +
      "   3: 0500F40A:1F90 0900F4";
    const local = { address: "10.244.0.5", port: 8080 };
    assertEquals(parseProcNetTcp(text), [
      {
        local: { address: "0.0.0.0", port: 8080 },
        remote: { address: "0.0.0.0", port: 0 },
        established: false,
        listening: true,
      },
      { local, remote: { address: "10.244.0.9", port: 54690 }, established: true, listening: false },
      { local, remote: { address: "10.244.0.9", port: 54692 }, established: true, listening: false },
      {
        local: { address: "2001:db8::5", port: 8080 },
        remote: { address: "2001:db8::9", port: 80 },
        established: false,
        listening: false,
      },
    ]);
  });

  it("reads back whatever sockets there are", () => {
    fc.assert(fc.property(fc.array(socketOf, { maxLength: 20 }), (sockets) => {
      const lines = sockets.map(({ local, localPort, remote, remotePort, state }, at) =>
        `${String(at).padStart(4)}: ${hexOf(local)}:${hex(localPort, 4)} ${hexOf(remote)}:${hex(remotePort, 4)} ${
          hex(state, 2)
        } 00000000:00000000 00:00000000 00000000     0        0 1 1\n`
      );
      const wanted = sockets.map(({ local, localPort, remote, remotePort, state }): TcpSocket => ({
        local: { address: formatIp(local), port: localPort },
        remote: { address: formatIp(remote), port: remotePort },
        established: state === 1,
        listening: state === 10,
      }));
      assertEquals(parseProcNetTcp(head + lines.join("")), wanted);
    }));
  });

  it("reads nothing into noise", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assertEquals(parseProcNetTcp(text), [])));
  });
});
