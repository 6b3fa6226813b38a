/** Whether a variable may be called so where people name it: as Kubernetes and every shell's tools have it, which is less than a system would take. */
export function isVariableName(name: string): boolean {
  return /^[A-Za-z_.-][A-Za-z0-9_.-]*$/.test(name);
}

/** What {@linkcode isVariableName} asks for, as a clause. */
export const variableNameForm = 'letters, digits, "_", "." and "-", the first of them no digit';
