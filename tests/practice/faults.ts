import type { KubeObject } from "./kube_object.ts";

/** Which requests a fault is for; all if left out. */
export interface AnswerFault {
  /** HTTP status to answer with: 401, 403, 409, 410, 429, 500, 503… */
  readonly status: number;
  /** How many requests. Default 1; `Infinity` until `answerNormally`. */
  readonly times?: number;
  /** Kubernetes' verb (`list`, `watch`, `create`…). */
  readonly verb?: string;
  /** Of the path, without query. */
  readonly path?: RegExp;
  /** Seconds for the `Retry-After` header. */
  readonly retryAfter?: number;
  /** Message of the Status. */
  readonly message?: string;
}

/** An object that an admission webhook does not let in, whoever makes or changes it: a controller too. */
export interface AdmissionDenial {
  readonly kind: string;
  /** Default all of the kind. */
  readonly matches?: (object: KubeObject) => boolean;
  readonly message: string;
  /** Default `policy.practice`. */
  readonly webhook?: string;
  /** Status of the answer. Default 403. */
  readonly status?: number;
}

/** What can go wrong with a practice cluster. Each holds until its counterpart is called. */
export interface Faults {
  /** Adds a round-trip time, in milliseconds, to the line; 0 for none. */
  latency(roundTrip: number): void;
  /** Resets all connections; new ones are accepted. */
  dropConnections(): void;
  /** Swallows everything: open connections freeze, new ones are accepted and never answered. */
  blackHole(): void;
  /** Ends `blackHole`: what was held back arrives. */
  mend(): void;
  /** Closes the port and resets all connections: connecting is refused. */
  stopListening(): Promise<void>;
  /** Opens the same port again. */
  startListening(): Promise<void>;
  /** Lets clients read no more than so many bytes a second each; 0 for as fast as they can. */
  slowDownload(bytesPerSecond: number): void;
  /** Lets the server read no more than so many bytes a second of each client; 0 for as fast as it can. */
  slowUpload(bytesPerSecond: number): void;
  /** Answers the next matching requests with an error. */
  answer(fault: AnswerFault): void;
  /** Forgets all `answer`s. */
  answerNormally(): void;
  /** Answers WebSocket upgrades with this status, as an old server (403, 400) or a proxy would; undefined to take them again. */
  refuseWebSockets(status: number | undefined): void;
  /** Answers SPDY upgrades with this status; undefined to take them again. */
  refuseSpdy(status: number | undefined): void;
  /** Gives a user a new token and returns it; the old one is answered with 401. */
  rotateToken(user: string): string;
  /** Ends all open watches in good order. */
  endWatches(): void;
  /** Breaks the connections of all open watches. */
  cutWatches(): void;
  /** Open and new watches say nothing more, not even bookmarks; false to let them speak, with all they have missed. */
  silenceWatches(silent: boolean): void;
  /** Forgets the history: watches and continued lists from before are answered with 410. */
  forgetHistory(): void;
  /** Lets an admission webhook refuse objects. */
  denyAdmission(denial: AdmissionDenial): void;
  /** Forgets all `denyAdmission`s; controllers try again. */
  admitNormally(): void;
  /** Freezes all port-forward sessions: they answer nothing, their connections stay up. False to go on. */
  freezeSessions(frozen: boolean): void;
}
