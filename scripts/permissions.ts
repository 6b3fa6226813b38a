/**
 * What the executables may do, as flags of `deno compile` and `deno run`. They can load no native library and no code from
 * elsewhere; where files, hosts and programs are not named, it is because only the user's kubeconfig and command line name them.
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
  // The user's home, resolvers of the machine and its addresses (what is local is never sent to the cluster).
  "--allow-sys=homedir,hostname,networkInterfaces,osRelease,uid,gid",
  // All code is inside.
  "--no-remote",
  // What is not allowed fails, instead of asking somebody who cannot judge it.
  "--no-prompt",
];
