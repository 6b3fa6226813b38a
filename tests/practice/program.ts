/** What a program in a pod knows and can do. */
export interface Container {
  readonly pod: { readonly namespace: string; readonly name: string; readonly ip: string };
  readonly name: string;
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** The declared container ports. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  /** The loopback address that stands for the pod: 127.88.x.y where the OS lets us bind it, else 127.0.0.1. */
  readonly address: string;
  /**
   * Listens on a port of the pod. `on` says which of the pod's addresses: `all` (default), `localhost` (port-forward reaches it, Services do
   * not) or `pod` (the reverse). The listener is closed, and its connections are reset, when the pod ends.
   */
  listen(port: number, onConnection: (connection: PodConnection) => void, on?: ListenOn): Promise<void>;
  /**
   * Reserves a real port for a pod's port, for a program that opens its own sockets (a child process). Resolves with the port to bind on
   * `address`, which is the pod's own wherever it is free.
   */
  reserve(port: number, on?: ListenOn): Promise<number>;
  /** What is mounted where: a path in the container, and the folder or file on this machine that stands for it. */
  readonly mounts: ReadonlyMap<string, string>;
  /** Opens a connection as from inside the pod; see `Practice.dialFromPod`. */
  dial(host: string, port: number): Promise<Deno.TcpConn>;
  /** What a process in this pod needs to find its network (`pod_network.cjs`). */
  readonly gate: {
    /** The value of its variable `PRACTICE_GATE`. */
    readonly variable: string;
    /** Tells it to end, as SIGTERM does: for systems where no process can signal another. */
    terminate(): void;
  };
  /** Says that the program has ended by itself, with its exit status: the container is started again, as Kubernetes would. */
  exited(code: number): void;
  /** Writes a line to the container's log (`pods/log`). */
  log(line: string): void;
  /** Aborted when the pod is to end. */
  readonly signal: AbortSignal;
}

/** Which of a pod's addresses a program listens on. */
export type ListenOn = "all" | "localhost" | "pod";

/** One accepted connection. Half-close is kept; `reset` sends an RST. */
export interface PodConnection {
  /** Resolves with null at the end. Rejects when the peer has reset the connection. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the peer may take more. */
  write(data: Uint8Array | string): Promise<void>;
  closeWrite(): void;
  reset(): void;
  close(): void;
}

/**
 * What an image runs. Resolves once it runs, with what ends it (called once, before its listeners are closed); a rejection puts the
 * pod into CrashLoopBackOff.
 */
export type Program = (container: Container) => Promise<StopProgram>;

/** Ends a program; it may take its time until `graceOver` is aborted, and is to be gone soon after. */
export type StopProgram = (graceOver: AbortSignal) => Promise<void> | void;
