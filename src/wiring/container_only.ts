/** What belongs to a container, its image or its shell, and would mislead a program elsewhere. */
const names = new Set([
  ...["PATH", "HOME", "HOSTNAME", "PWD", "OLDPWD", "SHLVL", "SHELL", "USER", "LOGNAME", "TERM", "_"],
  ...["LANG", "LANGUAGE", "TMPDIR", "TMP", "TEMP", "JAVA_HOME", "PYTHONHOME", "NODE_PATH", "KUBECONFIG"],
  // Who is asked for outside names from inside the cluster; here it is who was asked before.
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"],
]);
const prefixes = /^(KUBERNETES_|LC_|LD_|DYLD_|XDG_|HAWSER_)/;
/** They load what lies in the container, or fit its memory, besides saying things that are true anywhere. */
const options = new Set(["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JAVA_OPTS", "NODE_OPTIONS"]);

/** Whether a variable of a container has no meaning outside of it. Names are compared without case, as Windows and proxies do. */
export function isContainerOnly(name: string, value: string): boolean {
  const upper = name.toUpperCase();
  if (options.has(upper)) return /(^|[\s=:,"'])\/\w/.test(value);
  return names.has(upper) || prefixes.test(upper);
}
