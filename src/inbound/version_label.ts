import type { VersionLabel } from "./variant.ts";

/**
 * Reads `[KEY:]VALUE` as a label of pods; the key is `version` unless said otherwise, and lower case, as the header's name of the same mark is. Throws a
 * TypeError that quotes what it cannot read.
 */
export function parseVersionLabel(text: string): VersionLabel {
  const colon = text.indexOf(":");
  const key = (colon < 0 ? "version" : text.slice(0, colon)).trim().toLowerCase();
  const value = text.slice(colon + 1).trim();
  if (!/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/.test(key)) {
    throw new TypeError(`"${key}" in "${text}" is no key of a label`);
  }
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]{0,30}[A-Za-z0-9])?$/.test(value)) {
    throw new TypeError(
      `"${value}" in "${text}" is no value of a label: letters, digits, "-", "_" and ".", at most 32`,
    );
  }
  return { key, value };
}
