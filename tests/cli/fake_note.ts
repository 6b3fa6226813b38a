import type { SessionNote } from "../../src/cli/session_note.ts";

/** The note of a session `name`, whose id is `id-NAME`. */
export function fakeNote(name: string, changes: Partial<SessionNote> = {}): SessionNote {
  return {
    name,
    id: `id-${name}`,
    pid: 1,
    started: "2026-01-01T00:00:00.000Z",
    version: "0.0.0",
    context: "kind",
    server: "https://127.0.0.1:6443/",
    namespace: "dev",
    port: 1080,
    dnsPort: 5300,
    token: "secret",
    auth: undefined,
    listeners: [],
    logFile: undefined,
    ...changes,
  };
}
