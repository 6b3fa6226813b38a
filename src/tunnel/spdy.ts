/**
 * SPDY/3.1 frames as Kubernetes' port-forward uses them (the protocol's draft 3.1, §2). Header blocks are sent as stored deflate blocks
 * without a dictionary, which every inflater takes; nothing that the server sends needs inflating, so there is no zlib here.
 */

/** Types of control frames. */
export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 9,
} as const;

/** The flag of the last frame of a direction. */
export const finFlag = 1;

/** Status of RST_STREAM that says: not wanted any more. */
export const cancel = 5;

/** The head of a frame. */
export type FrameHead =
  | { readonly control: true; readonly type: number; readonly flags: number; readonly length: number }
  | { readonly control: false; readonly stream: number; readonly flags: number; readonly length: number };

/** Length of every frame's head in bytes. */
export const headLength = 8;

/** Parses the eight bytes of a frame's head. Throws a RangeError on another version of SPDY. */
export function parseHead(bytes: Uint8Array): FrameHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headLength);
  const word = view.getUint32(0);
  const rest = view.getUint32(4);
  const flags = rest >>> 24, length = rest & 0xffffff;
  if (word < 0x80000000) return { control: false, stream: word, flags, length };
  if (word >>> 16 !== 0x8003) throw new RangeError(`SPDY version ${(word >>> 16) & 0x7fff} instead of 3`);
  return { control: true, type: word & 0xffff, flags, length };
}

/** The head of a data frame. */
export function dataHead(stream: number, length: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(headLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, stream);
  view.setUint32(4, (flags << 24 | length) >>> 0);
  return bytes;
}

/** A whole PING frame; clients use odd ids. */
export function pingFrame(id: number): Uint8Array {
  return controlFrame(frameTypes.ping, [id]);
}

/** A whole RST_STREAM frame. */
export function rstStreamFrame(stream: number, status: number): Uint8Array {
  return controlFrame(frameTypes.rstStream, [stream, status]);
}

/**
 * A whole SYN_STREAM frame. `first` says whether its header block is the session's first, which begins the deflate stream. Each block ends in
 * an empty stored block: without that flush Go's inflater takes the end of its input for an error and never recovers.
 */
export function synStreamFrame(stream: number, headers: Readonly<Record<string, string>>, first: boolean): Uint8Array {
  const entries = Object.entries(headers);
  const plain = 4 + entries.reduce((sum, [name, value]) => sum + 8 + name.length + value.length, 0);
  const start = first ? 2 : 0;
  const bytes = new Uint8Array(headLength + 10 + start + 5 + plain + 5);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x80030000 + frameTypes.synStream);
  view.setUint32(4, bytes.length - headLength);
  view.setUint32(8, stream);
  let at = 18;
  if (first) {
    view.setUint16(at, 0x7801);
    at += 2;
  }
  view.setUint16(at + 1, plain, true);
  view.setUint16(at + 3, ~plain & 0xffff, true);
  at += 5;
  view.setUint32(at, entries.length);
  at += 4;
  for (const entry of entries) {
    for (const text of entry) {
      view.setUint32(at, text.length);
      at += 4;
      for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    }
  }
  view.setUint32(at + 1, 0x0000ffff);
  return bytes;
}

function controlFrame(type: number, words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(headLength + words.length * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x80030000 + type);
  view.setUint32(4, words.length * 4);
  words.forEach((word, index) => view.setUint32(headLength + index * 4, word));
  return bytes;
}
