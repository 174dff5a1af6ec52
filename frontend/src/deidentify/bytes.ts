/** Bytes read in order, as of a file: what lies beyond the end is missing, not an error. */

export class Bytes {
  private readonly view: DataView;
  private place = 0;

  constructor(readonly all: Uint8Array) {
    this.view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  }

  get at(): number {
    return this.place;
  }

  get left(): number {
    return Math.max(0, this.all.length - this.place);
  }

  /** Go to a place, also beyond the end. */
  go(to: number): void {
    this.place = to;
  }

  /** So many bytes, or what there is of them. */
  take(length: number): Uint8Array {
    const found = this.all.subarray(Math.min(this.place, this.all.length), this.place + length);
    this.place += found.length;
    return found;
  }

  /** Two bytes at a distance from here; throws RangeError beyond the end. */
  short(distance: number, little: boolean): number {
    return this.view.getUint16(this.place + distance, little);
  }

  /** Four bytes at a distance from here; throws RangeError beyond the end. */
  long(distance: number, little: boolean): number {
    return this.view.getUint32(this.place + distance, little);
  }

  /** A tag at a distance from here: group × 65536 + element. */
  tag(distance: number, little: boolean): number {
    return this.short(distance, little) * 65536 + this.short(distance + 2, little);
  }

  byte(distance: number): number {
    return this.view.getUint8(this.place + distance);
  }
}
