/** What Windows tells the processes of a console. */
export const consoleEvents = { ctrlC: 0, ctrlBreak: 1, close: 2, logoff: 5 } as const;

/**
 * Tells a process of Windows what a console would, and in the same way: by a thread in it. Resolves with whether its handlers have returned within `patience` ms: from
 * then on Windows would end it where the event is its last.
 */
export async function sendConsoleEvent(
  pid: number,
  event: keyof typeof consoleEvents,
  patience: number,
): Promise<boolean> {
  const library = Deno.dlopen("kernel32.dll", {
    OpenProcess: { parameters: ["u32", "i32", "u32"], result: "pointer" },
    GetModuleHandleA: { parameters: ["buffer"], result: "pointer" },
    GetProcAddress: { parameters: ["pointer", "buffer"], result: "pointer" },
    CreateRemoteThread: {
      parameters: ["pointer", "pointer", "usize", "pointer", "usize", "u32", "pointer"],
      result: "pointer",
    },
    WaitForSingleObject: { parameters: ["pointer", "u32"], result: "u32", nonblocking: true },
    CloseHandle: { parameters: ["pointer"], result: "i32" },
  });
  const kernel = library.symbols;
  const text = (name: string) => new TextEncoder().encode(`${name}\0`);
  const process = kernel.OpenProcess(0x1f_ffff, 0, pid); // PROCESS_ALL_ACCESS
  const routine = kernel.GetProcAddress(kernel.GetModuleHandleA(text("kernelbase.dll")), text("CtrlRoutine"));
  const thread = kernel.CreateRemoteThread(process, null, 0n, routine, BigInt(consoleEvents[event]), 0, null);
  try {
    if (thread === null) throw new Error(`Process ${pid} takes no console events`);
    return await kernel.WaitForSingleObject(thread, patience) === 0;
  } finally {
    for (const handle of [thread, process]) kernel.CloseHandle(handle);
    library.close();
  }
}
