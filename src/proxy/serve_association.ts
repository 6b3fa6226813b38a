import type { Connection } from "./connection.ts";
import { associationReply } from "./socks.ts";
import { openUdpAssociation } from "./udp_association.ts";

/** Opens a UDP association for a SOCKS5 client, and keeps it until the client's connection ends (RFC 1928 §7). Rejects with the system's error where it cannot be had. */
export async function serveAssociation(connection: Connection, port: number): Promise<void> {
  const { client, reader, from } = connection;
  const association = await openUdpAssociation({
    client: from,
    port,
    dial: async (target, signal) =>
      await (await connection.route(target, "tcp")).dial({ signal, early: true, client: from }),
    onFailure: ({ host, port }, error) => connection.door.log.debug(`UDP to "${host}:${port}": ${error.message}`),
  });
  try {
    await client.write(associationReply(association.host, association.port));
    // It ends with its connection, over which nothing more is to come.
    const waste = new Uint8Array(256);
    while (await reader.read(waste) !== null);
  } catch {
    // The client broke off.
  } finally {
    await association.close();
  }
}
