/** An environment that says nothing of proxies. */
export function withoutProxies(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(https?|all|no)_proxy$|^NODE_USE_ENV_PROXY$/i.test(name)),
  );
}
