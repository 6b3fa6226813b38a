import { StatusError } from "./status_error.ts";

type Fields = Record<string, unknown>;

/** Applies a patch to a plain JSON object and returns the new one. `type` is the media type without parameters. */
export function patch(object: Fields, type: string, body: unknown): Fields {
  switch (type) {
    case "application/json-patch+json":
      return jsonPatch(object, body);
    case "application/merge-patch+json":
      return merge(object, body, false) as Fields; // an object patched by an object is one
    case "application/strategic-merge-patch+json":
    // Server-side apply, simplified: nobody's fields are taken away.
    case "application/apply-patch+yaml":
      return merge(object, body, true) as Fields;
    default:
      throw new StatusError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, " +
          "application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
      );
  }
}

/** RFC 7396; `strategic` also joins those lists that Kubernetes joins by a key, and heeds `$patch`. */
function merge(old: unknown, patch: unknown, strategic: boolean, field = ""): unknown {
  if (strategic && Array.isArray(patch)) return mergeList(Array.isArray(old) ? old : [], patch, field);
  if (!isObject(patch)) return patch;
  if (strategic && patch.$patch === "replace") return without(patch, "$patch");
  const result: Fields = isObject(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || (strategic && isObject(value) && value.$patch === "delete")) delete result[key];
    else if (!(strategic && key.startsWith("$"))) result[key] = merge(result[key], value, strategic, key);
  }
  return result;
}

const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  volumes: ["name"],
  env: ["name"],
  imagePullSecrets: ["name"],
  conditions: ["type"],
  ownerReferences: ["uid"],
  volumeMounts: ["mountPath"],
  ports: ["containerPort", "port"],
  hostAliases: ["ip"],
};

function mergeList(old: readonly unknown[], patch: readonly unknown[], field: string): unknown[] {
  const key = mergeKeys[field]?.find((name) => patch.some((item) => isObject(item) && name in item));
  const first = patch[0];
  if (isObject(first) && first.$patch === "replace") return patch.slice(1);
  if (!key) return field === "finalizers" ? [...new Set([...old, ...patch])] : [...patch];
  const result = [...old];
  for (const item of patch) {
    if (!isObject(item)) continue;
    const at = result.findIndex((other) => isObject(other) && other[key] === item[key]);
    if (item.$patch === "delete") {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = merge(result[at], item, true);
    else result.push(item);
  }
  return result;
}

/** RFC 6902. */
function jsonPatch(object: Fields, body: unknown): Fields {
  if (!Array.isArray(body)) {
    throw StatusError.badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  }
  const root: Fields = { "": structuredClone(object) };
  for (const operation of body) {
    const { op, path, from, value } = isObject(operation) ? operation : {};
    if (typeof path !== "string") throw rejected("missing path");
    switch (op) {
      case "add":
        add(root, path, structuredClone(value));
        break;
      case "replace":
        take(root, path);
        add(root, path, structuredClone(value));
        break;
      case "remove":
        take(root, path);
        break;
      case "move":
        add(root, path, take(root, String(from)));
        break;
      case "copy":
        add(root, path, structuredClone(look(root, String(from))));
        break;
      case "test":
        if (JSON.stringify(look(root, path)) !== JSON.stringify(value)) throw rejected(`testing value ${path} failed`);
        break;
      default:
        throw rejected(`unexpected kind: ${op}`);
    }
  }
  return root[""] as Fields; // the whole document is an object before and, replaced or not, what a client may send after
}

function rejected(why: string): StatusError {
  return new StatusError(422, "Invalid", `the server rejected our request due to an error in our request: ${why}`);
}

/** The value that holds the last step of a JSON pointer, and that step. */
function parent(root: Fields, pointer: string): { holder: Fields | unknown[]; step: string } {
  const steps = pointer.split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  let holder: unknown = root;
  for (const step of steps.slice(0, -1)) holder = (holder as Fields)[step] ?? {}; // arrays have fields too
  if (!Array.isArray(holder) && !isObject(holder)) throw rejected(`${pointer} does not exist`);
  return { holder, step: steps.at(-1)! };
}

function look(root: Fields, pointer: string): unknown {
  const { holder, step } = parent(root, pointer);
  return (holder as Fields)[step];
}

function add(root: Fields, pointer: string, value: unknown): void {
  const { holder, step } = parent(root, pointer);
  if (Array.isArray(holder)) holder.splice(step === "-" ? holder.length : Number(step), 0, value);
  else holder[step] = value;
}

function take(root: Fields, pointer: string): unknown {
  const { holder, step } = parent(root, pointer);
  if (!(step in holder)) {
    throw rejected(`remove operation does not apply: doc is missing path: ${pointer}: missing value`);
  }
  if (Array.isArray(holder)) return holder.splice(Number(step), 1)[0];
  const value = holder[step];
  delete holder[step];
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function without(object: Fields, key: string): Fields {
  const { [key]: _, ...rest } = object;
  return rest;
}
