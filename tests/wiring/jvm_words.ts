/** The options in a value of JAVA_TOOL_OPTIONS, as a JVM splits it (`Arguments::parse_options_buffer` of HotSpot's arguments.cpp). */
export function jvmWords(value: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < value.length;) {
    if (/\s/.test(value[at]!)) {
      at++;
      continue;
    }
    let word = "";
    for (; at < value.length && !/\s/.test(value[at]!); at++) {
      const quote = value[at]!;
      if (quote !== '"' && quote !== "'") {
        word += quote;
        continue;
      }
      const end = value.indexOf(quote, at + 1);
      if (end < 0) throw new Error(`The quote at ${at} does not end: ${value}`);
      word += value.slice(at + 1, end);
      at = end;
    }
    words.push(word);
  }
  return words;
}
