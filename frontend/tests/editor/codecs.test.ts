import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHUNK_VOXELS, FormatError, decodeChunk, encodeChunk } from "../../src/editor/chunks";
import { Labelmap } from "../../src/editor/labelmap";
import { decodeMessage, gzip, layOut } from "../../src/editor/message";
import type { Stroke, Zyx } from "../../src/editor/types";
import { bytesOf, inflate, readVectors } from "./vectors";

interface Chunks {
  cases: { name: string; voxels_gz: string; payload_gz: string; sha256: string }[];
  refused: { name: string; payload_b64: string }[];
}
interface Messages {
  cases: {
    name: string;
    layer: string;
    shape_zyx: Zyx;
    labels_gz: string;
    strokes: Stroke[];
    message_b64: string;
    inflated_sha256: string;
  }[];
  changes: { name: string; shape_zyx: Zyx; before_gz: string; after_gz: string; message_b64: string }[];
  refused: { name: string; message_b64: string; shape_zyx?: Zyx }[];
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const chunks = readVectors<Chunks>("chunks.json");
const messages = readVectors<Messages>("messages.json");

describe("chunk", () => {
  test.each(chunks.cases)("$name: both ways", ({ voxels_gz, payload_gz, sha256: name }) => {
    const voxels = inflate(voxels_gz);
    expect(sha256(voxels)).toBe(name);
    expect(Buffer.from(encodeChunk(voxels))).toEqual(Buffer.from(inflate(payload_gz)));
    expect(Buffer.from(decodeChunk(inflate(payload_gz)))).toEqual(Buffer.from(voxels));
  });

  test.each(chunks.refused)("$name: refused", ({ payload_b64 }) => {
    expect(() => decodeChunk(bytesOf(payload_b64))).toThrow(FormatError);
  });

  test("any voxels come back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat(255), (values, every) => {
        const voxels = new Uint8Array(CHUNK_VOXELS);
        for (let n = 0; n < CHUNK_VOXELS; n += every + 1) voxels[n] = values[n % values.length]!;
        expect(sha256(decodeChunk(encodeChunk(voxels)))).toBe(sha256(voxels));
      }),
      { numRuns: 30 },
    );
  });
});

describe("mask message", () => {
  test.each(messages.cases)(
    "$name: reads and writes the same",
    async ({ layer, shape_zyx, labels_gz, message_b64, strokes, inflated_sha256 }) => {
      const message = await decodeMessage(bytesOf(message_b64), shape_zyx);
      expect([message.layer, message.strokes]).toEqual([layer, strokes]);
      const labels = new Labelmap(shape_zyx);
      labels.load(message);
      expect(Buffer.from(labels.data)).toEqual(Buffer.from(inflate(labels_gz)));
      const inflated = gunzipSync(bytesOf(message_b64));
      expect(sha256(inflated)).toBe(inflated_sha256);
      const again = layOut(layer, shape_zyx, labels.payloads(labels.occupiedChunks()), strokes);
      // Python writes 12.0 where JavaScript writes 12, and escapes what is not ASCII: compare what was meant.
      const header = (bytes: Uint8Array) =>
        JSON.parse(
          new TextDecoder().decode(
            bytes.subarray(8, 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)),
          ),
        );
      expect(header(again)).toEqual(header(new Uint8Array(inflated)));
      const body = (bytes: Uint8Array) =>
        Buffer.from(bytes.subarray(8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)));
      expect(body(again)).toEqual(body(new Uint8Array(inflated)));
      expect((await decodeMessage(await gzip(again), shape_zyx)).chunks).toEqual(message.chunks);
    },
  );

  test.each(messages.changes)("$name: the changed chunks", async ({ shape_zyx, before_gz, after_gz, message_b64 }) => {
    const [before, after] = [inflate(before_gz), inflate(after_gz)];
    const change = await decodeMessage(bytesOf(message_b64), shape_zyx);
    const labels = new Labelmap(shape_zyx);
    const { RunBuilder } = await import("../../src/editor/runs");
    const start = new RunBuilder(),
      step = new RunBuilder();
    before.forEach((value, n) => start.push(n, 1, 0, value));
    after.forEach((value, n) => step.push(n, 1, before[n]!, value));
    labels.apply(start.build(), new Set());
    const touched = new Set<number>();
    labels.apply(step.build(), touched);
    expect(labels.payloads(touched)).toEqual(change.chunks);
  });

  test.each(messages.refused)("$name: refused", async ({ message_b64, shape_zyx }) => {
    await expect(decodeMessage(bytesOf(message_b64), shape_zyx ?? messages.cases[0]!.shape_zyx)).rejects.toThrow(
      FormatError,
    );
  });
});
