const suffixes: Readonly<Record<string, number>> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The number of a Kubernetes quantity (`50m`, `1.5`, `64Mi`); 0 for what is none. */
export function quantity(text: unknown): number {
  const [, number = "0", suffix = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(String(text ?? 0)) ?? [];
  return Number(number) * (suffixes[suffix] ?? 0);
}

/** Writes a number as Kubernetes would. */
export function formatQuantity(value: number): string {
  if (value !== Math.floor(value)) return `${Math.round(value * 1000)}m`;
  const suffix = ["Ti", "Gi", "Mi", "Ki"].find((suffix) =>
    value >= suffixes[suffix]! && value % suffixes[suffix]! === 0
  );
  return suffix ? `${value / suffixes[suffix]!}${suffix}` : String(value);
}
