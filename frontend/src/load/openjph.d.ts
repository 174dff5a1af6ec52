/** The part of OpenJPH's WebAssembly build that we use; its package brings no types. */
declare module "@cornerstonejs/codec-openjph" {
  interface Decoder {
    getEncodedBuffer(length: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  }
  interface Codec {
    readonly HTJ2KDecoder: new () => Decoder;
  }
  export default function openjph(options: { locateFile: () => string }): Promise<Codec>;
}
