/** A certificate or key as a kubeconfig gives it. */
export type Material =
  /** Absolute path of a PEM file. */
  | { readonly kind: "file"; readonly path: string }
  /** PEM text in base64. */
  | { readonly kind: "data"; readonly base64: string };

/** How to reach one API server. */
export interface ClusterEntry {
  readonly name: string;
  /** URL; empty where the entry has none. */
  readonly server: string;
  readonly certificateAuthority: Material | undefined;
  readonly insecureSkipTlsVerify: boolean;
  /** Empty for the server's own host name. */
  readonly tlsServerName: string;
  /** Empty for the proxy of the environment. */
  readonly proxyUrl: string;
  /** The extension `client.authentication.k8s.io/exec`: settings that credential plugins of this cluster are told; undefined for none. */
  readonly execConfig: unknown;
}

/** A program that makes credentials (`client.authentication.k8s.io`). */
export interface ExecEntry {
  readonly apiVersion: string;
  /** A name to be found on PATH, or an absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** What to tell a person who lacks the program; empty for nothing. */
  readonly installHint: string;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: "Never" | "IfAvailable" | "Always";
}

/** An identity to take on instead of one's own. */
export interface Impersonation {
  /** Empty for nobody. */
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Who one is. */
export interface UserEntry {
  readonly name: string;
  readonly clientCertificate: Material | undefined;
  readonly clientKey: Material | undefined;
  /** Empty for none, as are the other texts. */
  readonly token: string;
  /** Absolute path. */
  readonly tokenFile: string;
  readonly username: string;
  readonly password: string;
  readonly exec: ExecEntry | undefined;
  /** `auth-provider`: its name, and its settings as they stand. */
  readonly authProvider: { readonly name: string; readonly config: Readonly<Record<string, string>> } | undefined;
  readonly impersonate: Impersonation;
}

/** A cluster and a user under one name. */
export interface ContextEntry {
  readonly name: string;
  readonly cluster: string;
  /** Empty for nobody. */
  readonly user: string;
  /** Empty for `default`. */
  readonly namespace: string;
}

/** One or several kubeconfig files, merged; every path in it is absolute. */
export interface Kubeconfig {
  /** The files it was made from, in the order of their precedence. */
  readonly files: readonly string[];
  /** Empty where none is chosen. */
  readonly currentContext: string;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
}
