import { ApiError } from "../cluster/api.ts";

/** What a call gives, or undefined where its object does not exist (any more). */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
