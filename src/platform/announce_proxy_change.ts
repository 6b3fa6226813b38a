const settingsChanged = 39, refresh = 37; // INTERNET_OPTION_SETTINGS_CHANGED, INTERNET_OPTION_REFRESH

/** Has the programs of this Windows session read the user's proxy settings again, through `wininet.dll`. They do so in time if this fails, so it never throws. */
export function announceProxyChange(): void {
  try {
    const library = Deno.dlopen("wininet.dll", {
      InternetSetOptionW: { parameters: ["pointer", "u32", "pointer", "u32"], result: "i32" },
    });
    try {
      for (const option of [settingsChanged, refresh]) library.symbols.InternetSetOptionW(null, option, null, 0);
    } finally {
      library.close();
    }
  } catch {
    // no such library: a Windows without it has no programs that would ask it
  }
}
