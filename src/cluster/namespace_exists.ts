import { type Api, ApiError } from "./api.ts";

/** Whether there is a namespace of that name; undefined where the user may not know. Rejects as `api.get` does for what is no answer. */
export async function namespaceExists(api: Api, name: string, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    await api.get(`/api/v1/namespaces/${name}`, {}, signal);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.status === 404 ? false : undefined;
  }
}
