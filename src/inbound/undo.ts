import type { V1Service } from "@kubernetes/client-node";
import { Failure } from "../platform/failure.ts";
import { labels, manager } from "./names.ts";

/** Where a diverted Service keeps what it was. */
export const undoAnnotation = "hawser.dev/undo";

/** What a Service was before its traffic was diverted. */
export interface Undo {
  /** `spec.selector` exactly. */
  readonly selector: Readonly<Record<string, string>>;
  /** When, RFC 3339. */
  readonly since: string;
  /** Who began, for people: `alice@laptop`. */
  readonly by: string;
}

/** How a Service's selector stands to us. */
export type Diversion =
  /** It selects what its owners say. */
  | "none"
  /** It selects the agent and nothing else. */
  | "diverted"
  /** Somebody's `apply` has merged their selector into ours, so that it selects no pod at all. */
  | "mixed";

/** JSON merge patch for a Service; refused by the API server (409) if the Service has changed since it was read. */
export interface ServicePatch {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string | null>> | null;
  };
  readonly spec?: { readonly selector: Readonly<Record<string, string | null>> };
}

/** How the selector of a Service stands to us; a preview's own Service is never diverted. */
export function diversionOf({ metadata, spec }: V1Service): Diversion {
  if (metadata?.labels?.[labels.managedBy] === manager) return "none";
  const selector = spec?.selector ?? {};
  if (selector[labels.agent] !== metadata?.name) return "none";
  return Object.keys(selector).length === 1 ? "diverted" : "mixed";
}

/** What the annotation of a Service says; undefined where it says nothing that makes sense. */
export function readUndo({ metadata }: V1Service): Undo | undefined {
  try {
    const undo: Partial<Undo> | null = JSON.parse(metadata?.annotations?.[undoAnnotation] ?? "null");
    const { selector, since = "", by = "" } = undo ?? {};
    return isSelector(selector) ? { selector, since, by } : undefined;
  } catch {
    return undefined; // somebody has edited it
  }
}

/** The patch that diverts a Service to its agent, with what undoes it. */
export function divertingPatch(service: V1Service, undo: Undo): ServicePatch {
  const name = service.metadata?.name ?? "";
  return {
    metadata: { resourceVersion: versionOf(service), annotations: { [undoAnnotation]: JSON.stringify(undo) } },
    spec: { selector: replaced(service.spec?.selector ?? {}, { [labels.agent]: name }) },
  };
}

/**
 * The patch that gives a Service back; undefined where there is nothing of ours in it. What others have changed stays: a selector that is not ours
 * is left alone, and one that was merged into ours becomes theirs. `originSelector` is that of the origin Service, for the case that the annotation
 * was lost. Throws a {@linkcode Failure} where nothing tells what the selector was.
 */
export function restoringPatch(
  service: V1Service,
  originSelector: Readonly<Record<string, string>> | undefined,
): ServicePatch | undefined {
  const { metadata, spec } = service;
  const diversion = diversionOf(service);
  const annotated = metadata?.annotations?.[undoAnnotation] !== undefined;
  if (diversion === "none" && !annotated) return undefined;
  const others = Object.keys(metadata?.annotations ?? {}).length > (annotated ? 1 : 0);
  const patch: ServicePatch = {
    metadata: {
      resourceVersion: versionOf(service),
      // Where ours is the only one, the map itself was not there before.
      annotations: others ? { [undoAnnotation]: null } : null,
    },
  };
  if (diversion === "none") return patch;
  const current = spec?.selector ?? {};
  if (diversion === "mixed") return { ...patch, spec: { selector: { [labels.agent]: null } } };
  const selector = readUndo(service)?.selector ?? originSelector;
  if (!selector) {
    throw new Failure(
      `Service "${metadata?.name}" in namespace "${metadata?.namespace}" is diverted to hawser's agent, but somebody has removed the annotation ` +
        `${undoAnnotation} and the origin Service, so nothing tells its selector: set spec.selector as its manifest has it`,
    );
  }
  return { ...patch, spec: { selector: replaced(current, selector) } };
}

/** A merge patch that makes `next` of `current`: what is left out must be said to go. */
function replaced(
  current: Readonly<Record<string, string>>,
  next: Readonly<Record<string, string>>,
): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(current).map((key) => [key, null])), ...next };
}

function versionOf({ metadata }: V1Service): string {
  return metadata?.resourceVersion ?? "";
}

function isSelector(value: unknown): value is Undo["selector"] {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0 &&
    Object.values(value).every((each) => typeof each === "string");
}
