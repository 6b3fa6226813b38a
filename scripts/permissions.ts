/**
 * What the executables may do, as flags of `deno compile` and `deno run`. They can load no code from elsewhere; where files, hosts and programs are not named, it is because only the user's kubeconfig and command line name them.
 */
export const permissions: readonly string[] = [
  // The API server's address is in the kubeconfig, the user's proxy in the environment; we listen on loopback.
  "--allow-net",
  // Kubeconfigs, certificates and token files lie where the user put them.
  "--allow-read",
  // Settings, session notes and logs in the folders of the platform; files of the wiring where the user wants them.
  "--allow-write",
  // KUBECONFIG, proxy variables, the folders of the platform; `run` hands on the whole environment.
  "--allow-env",
  // Credential plugins of the kubeconfig, and the programs that `run` starts.
  "--allow-run",
  // On Windows, the DNS servers of the machine are found through its network adapters; its name tells colleagues whose an exchange is.
  "--allow-sys=networkInterfaces,hostname",
  // `run --isolate` asks the C library of Linux where a connection was going (src/platform/original_destination.ts).
  "--allow-ffi",
  // All code is inside.
  "--no-remote",
  // What is not allowed fails, instead of asking somebody who cannot judge it.
  "--no-prompt",
];
