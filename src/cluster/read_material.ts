import { AccessError, type AccessErrorKind } from "./access.ts";
import type { Material } from "./kubeconfig.ts";

/** The PEM text of a certificate or key. `what` names it for messages (`client certificate of user "x"`). Rejects with an {@linkcode AccessError}. */
export async function readMaterial(material: Material, what: string, kind: AccessErrorKind): Promise<string> {
  if (material.kind === "file") {
    try {
      return await Deno.readTextFile(material.path);
    } catch (error) {
      const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : "it may not be read";
      throw new AccessError(kind, `The ${what} cannot be read from "${material.path}": ${reason}`, { cause: error });
    }
  }
  try {
    return atob(material.base64.replace(/\s+/g, ""));
  } catch (error) {
    throw new AccessError(kind, `The ${what} in the kubeconfig is not base64`, { cause: error });
  }
}
