/**
 * How a pod fares.
 *
 * - `ready`: runs its program and serves.
 * - `not-ready`: runs its program, but its readiness probe fails.
 * - `pending`: no node has room for it.
 * - `creating`: its container is being created, for ever.
 * - `crash-loop`: its program exits again and again.
 * - `image-pull`: its image cannot be had. An image without a program ends here by itself.
 */
export type PodState = typeof podStates[number];

/** All states. */
export const podStates = ["ready", "not-ready", "pending", "creating", "crash-loop", "image-pull"] as const;
