/** This process and all that it starts, and what those start. */
export interface ProcessTree {
  /** Leaves what still runs to itself: from here on it may outlive this process. */
  release(): void;
}

const extendedLimits = 9; // JobObjectExtendedLimitInformation
const breakawayOk = 0x0800, killOnJobClose = 0x2000; // JOB_OBJECT_LIMIT_…
const limitsSize = 144, flagsAt = 16; // JOBOBJECT_EXTENDED_LIMIT_INFORMATION and its LimitFlags, on all 64-bit Windows

const symbols = {
  CreateJobObjectW: { parameters: ["pointer", "pointer"], result: "pointer" },
  SetInformationJobObject: { parameters: ["pointer", "i32", "buffer", "u32"], result: "i32" },
  GetCurrentProcess: { parameters: [], result: "pointer" },
  AssignProcessToJobObject: { parameters: ["pointer", "pointer"], result: "i32" },
  CloseHandle: { parameters: ["pointer"], result: "i32" },
} as const;

/**
 * Has Windows end all that this process starts, down to the last grandchild, when it ends in whatever way: by a job object, whose only handle is ours. Deno ends its own children so,
 * but not theirs: a Java that `mvn.cmd` has started would stay. What a program starts with CREATE_BREAKAWAY_FROM_JOB is left out. To be called before this process
 * starts anything: Deno makes its own job then, and one around that is out of its reach. Elsewhere, and where Windows does not let us, nothing is held.
 */
export function holdProcessTree(os: typeof Deno.build.os = Deno.build.os): ProcessTree {
  const nothing = { release() {} };
  if (os !== "windows" || Deno.build.os !== "windows") return nothing;
  try {
    const { symbols: kernel } = Deno.dlopen("kernel32.dll", symbols);
    const job = kernel.CreateJobObjectW(null, null);
    const limit = (flags: number) => {
      const limits = new Uint8Array(limitsSize);
      new DataView(limits.buffer).setUint32(flagsAt, flags, true);
      return kernel.SetInformationJobObject(job, extendedLimits, limits, limits.length) !== 0;
    };
    if (job === null) return nothing;
    if (!limit(breakawayOk | killOnJobClose) || !kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())) {
      kernel.CloseHandle(job);
      return nothing;
    }
    return { release: () => void limit(breakawayOk) };
  } catch {
    return nothing; // no FFI here
  }
}
