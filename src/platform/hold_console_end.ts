/** What Windows is about to do to every process of a console: close its window; log the user off, or shut down. */
export type ConsoleEnd = "SIGHUP" | "SIGTERM";

const signals: Readonly<Record<number, ConsoleEnd>> = { 2: "SIGHUP", 5: "SIGTERM", 6: "SIGTERM" }; // CTRL_CLOSE_EVENT, _LOGOFF_, _SHUTDOWN_

/**
 * Windows ends a process as soon as its handler of such an event returns, and about 5 s later where it does not. Deno's own returns at once, so ours must come
 * before it, and never return. It needs a thread with an event loop of its own, which may stand still.
 */
const handler = `
const handler = Deno.UnsafeCallback.threadSafe({ parameters: ["u32"], result: "i32" }, (event) => {
  if (![2, 5, 6].includes(event)) return 0; // Deno's own is next
  postMessage(event);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
postMessage(Deno.UnsafePointer.value(handler.pointer));`;

/**
 * Calls `onEnd` when the console of this process ends, and holds Windows back from ending the process meanwhile: for the few seconds that it grants, or until the process exits,
 * which is what has to follow. Returns a function that gives up, and does nothing once the end has come. Where there is no way to hold it back, nothing happens.
 */
export function holdConsoleEnd(onEnd: (signal: ConsoleEnd) => void): () => void {
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(handler)}`, { type: "module" });
  let ended = false;
  let registered: Deno.PointerValue = null;
  worker.addEventListener("error", (event) => event.preventDefault());
  worker.addEventListener("message", ({ data }: MessageEvent<number | bigint>) => {
    const signal = registered && signals[Number(data)];
    if (signal) {
      ended = true;
      onEnd(signal);
    } else if (setHandler(Deno.UnsafePointer.create(BigInt(data)), true)) {
      registered = Deno.UnsafePointer.create(BigInt(data));
    }
  });
  return () => {
    if (ended) return; // Windows waits for the handler: it cannot be taken away now
    if (registered && !setHandler(registered, false)) return;
    worker.terminate();
  };
}

function setHandler(handler: Deno.PointerValue, add: boolean): boolean {
  try {
    const library = Deno.dlopen("kernel32.dll", {
      SetConsoleCtrlHandler: { parameters: ["pointer", "i32"], result: "i32" },
    });
    try {
      return library.symbols.SetConsoleCtrlHandler(handler, add ? 1 : 0) !== 0;
    } finally {
      library.close();
    }
  } catch {
    return false; // no FFI here
  }
}
