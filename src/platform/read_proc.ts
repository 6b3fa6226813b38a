/**
 * What files below `/proc` hold, one behind the other; empty where there are none. Linux only. By `cat`, because Deno itself reads there only where it
 * may do everything, which hawser's executables may not; `self` is `cat`, then, which shares our namespaces.
 */
export async function readProc(...paths: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [...paths], stdin: "null", stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
