import type { Admission } from "./admission.ts";
import type { Controllers } from "./controllers.ts";
import type { Faults } from "./faults.ts";
import type { Line } from "./line.ts";
import type { PortForward } from "./port_forward.ts";
import type { ServerFaults } from "./server_faults.ts";
import type { Store } from "./store.ts";
import type { Users } from "./users.ts";
import type { Watches } from "./watches.ts";

/** What {@linkcode practiceFaults} acts on. */
export interface PracticeFaultsDeps {
  readonly admission: Admission;
  readonly controllers: Controllers;
  readonly line: Line;
  readonly portForward: PortForward;
  readonly serverFaults: ServerFaults;
  readonly store: Store;
  readonly users: Users;
  readonly watches: Watches;
}

/** The faults of a practice cluster, each at the part that it concerns. */
export function practiceFaults(parts: PracticeFaultsDeps): Faults {
  const { admission, controllers, line, portForward, serverFaults, store, users, watches } = parts;
  return {
    latency: (roundTrip) => void (line.roundTrip = roundTrip),
    dropConnections: () => line.reset(),
    blackHole: () => void (line.swallows = true),
    mend: () => void (line.swallows = false),
    stopListening: () => line.close(),
    startListening: () => line.listen(),
    slowDownload: (bytesPerSecond) => void (line.downloadRate = bytesPerSecond),
    slowUpload: (bytesPerSecond) => void (line.uploadRate = bytesPerSecond),
    answer: (fault) => serverFaults.answer(fault),
    answerNormally: () => serverFaults.answerNormally(),
    refuseWebSockets: (status) => void (serverFaults.refuseWebSockets = status),
    refuseSpdy: (status) => void (serverFaults.refuseSpdy = status),
    rotateToken: (user) => users.rotateToken(user),
    endWatches: () => watches.end(),
    cutWatches: () => watches.cut(),
    silenceWatches: (silent) => watches.silence(silent),
    forgetHistory: () => store.forgetHistory(),
    denyAdmission: (denial) => admission.deny(denial),
    admitNormally: () => {
      admission.denyNothing();
      controllers.wake();
    },
    freezeSessions: (frozen) => portForward.freeze(frozen),
  };
}
