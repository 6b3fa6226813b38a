/**
 * Replaces `$(NAME)` by what `lookUp` knows, as Kubernetes does in `env`, `command` and `subPathExpr`: `$$` is a `$`, and a reference to what is
 * unknown stays as it is written.
 */
export function expandReferences(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(
    /\$\$|\$\(([^)]*)\)/g,
    (found, name?: string) => name === undefined ? "$" : lookUp(name) ?? found,
  );
}
