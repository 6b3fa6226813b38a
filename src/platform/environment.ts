import type { Environment } from "./proxy_settings.ts";

/**
 * Variables to look up and to list. On Windows, where `Http_Proxy` and `HTTP_PROXY` are the same variable, a look-up finds either; the list has
 * the spelling that programs are to inherit.
 */
export function environment(variables: Environment, os: typeof Deno.build.os): Environment {
  if (os !== "windows") return variables;
  const spellings = new Map(Object.keys(variables).map((name) => [name.toUpperCase(), name]));
  return new Proxy(variables, {
    get(all, name) {
      const spelling = spellings.get(String(name).toUpperCase());
      return spelling === undefined ? undefined : all[spelling];
    },
  });
}
