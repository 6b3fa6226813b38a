const day = 24 * 3600_000;

/**
 * Marks the unpacked version `own` as used now, and removes from the folder around it the versions that nobody has started
 * for 30 days and what an interrupted unpacking left behind a day ago. Versions may be running: each is moved away in one
 * step before it is removed, so that none is ever found by half.
 */
export async function sweep(own: string, now: number): Promise<void> {
  await Deno.utime(own, new Date(now), new Date(now));
  const cache = `${own}/..`;
  for await (const { name } of Deno.readDir(cache)) {
    const holds = name.startsWith("app-") ? 30 * day : name.startsWith(".new-") ? day : undefined;
    if (holds === undefined) continue;
    const { mtime } = await Deno.stat(`${cache}/${name}`);
    if (mtime === null || now - mtime.getTime() < holds) continue;
    const away = await Deno.makeTempDir({ dir: cache, prefix: ".new-" });
    await Deno.rename(`${cache}/${name}`, `${away}/${name}`);
    await Deno.remove(away, { recursive: true });
  }
}
