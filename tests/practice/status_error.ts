/** An error as the API server words it; its message is that of the `Status` object. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Headers to answer with. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.headers = headers;
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `Status` object. */
  toJSON(): Record<string, unknown> {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }

  static notFound(resource: { name: string; group: string }, name: string): StatusError {
    return new StatusError(404, "NotFound", `${qualified(resource)} "${name}" not found`, details(resource, name));
  }

  static alreadyExists(resource: { name: string; group: string }, name: string): StatusError {
    return new StatusError(
      409,
      "AlreadyExists",
      `${qualified(resource)} "${name}" already exists`,
      details(resource, name),
    );
  }

  static conflict(resource: { name: string; group: string }, name: string): StatusError {
    const why = "the object has been modified; please apply your changes to the latest version and try again";
    const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
    return new StatusError(409, "Conflict", message, details(resource, name));
  }

  static invalid(kind: string, name: string, why: string): StatusError {
    return new StatusError(422, "Invalid", `${kind} "${name}" is invalid: ${why}`, { name, kind });
  }

  static badRequest(message: string): StatusError {
    return new StatusError(400, "BadRequest", message);
  }

  /** For a path that the server does not know. */
  static unknownPath(): StatusError {
    return new StatusError(404, "NotFound", "the server could not find the requested resource", {});
  }

  static methodNotAllowed(): StatusError {
    return new StatusError(
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
      {},
    );
  }

  static expired(message: string): StatusError {
    return new StatusError(410, "Expired", message);
  }
}

function qualified(resource: { name: string; group: string }): string {
  return resource.group ? `${resource.name}.${resource.group}` : resource.name;
}

function details(resource: { name: string; group: string }, name: string) {
  return { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.name };
}
