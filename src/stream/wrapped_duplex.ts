import type { Duplex } from "./duplex.ts";

/** A stream that hands everything on to another; whoever extends it changes what is to differ. */
export class WrappedDuplex implements Duplex {
  protected readonly inner: Duplex;

  constructor(inner: Duplex) {
    this.inner = inner;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.inner.read(into);
  }

  write(data: Uint8Array): Promise<void> {
    return this.inner.write(data);
  }

  closeWrite(): Promise<void> {
    return this.inner.closeWrite();
  }

  reset(): void {
    this.inner.reset();
  }

  close(): void {
    this.inner.close();
  }
}
