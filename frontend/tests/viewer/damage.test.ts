/** What comes damaged is known, asked for once more, and shown as missing; never decoded, never a wrong grey. */

import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { whyDamaged } from "../../src/viewer/work/checks";
import { projectRow } from "../../src/viewer/geometry/slab";
import type { Decoded } from "../../src/load/decode.worker";
import type { Decoder } from "../../src/load/decoder";
import { SliceStream } from "../../src/load/stream";
import { findDamaged, plainSha256, sha256, sumsOf } from "../../src/load/sums";
import { MISSING, stripe, Volume } from "../../src/load/volume";
import type { VolumeIndex } from "../../src/ground/contract";
import { type Preview } from "../../src/load/enlarge";

const hash = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());
const some = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, n) => (n * 31 + seed * 97 + (n >> 3)) & 255);

/** Four slices of one pixel whose "codestreams" are 50 bytes; decoding gives the first of them. */
function packOf(): { bytes: Uint8Array; index: VolumeIndex } {
  const slices = [0, 1, 2, 3].map((z) => some(50, z));
  const bytes = Uint8Array.from(slices.flatMap((slice) => [...slice]));
  const sums = btoa(String.fromCharCode(...slices.flatMap((slice) => [...hash(slice).subarray(0, 16)])));
  const pack = {
    url: "/pack?v=1",
    bytes: 200,
    sha256: "",
    codec: "htj2k",
    dtype: "int16",
    slices: slices.map((_, z) => [50 * z, 50]),
    sums,
  };
  return { bytes, index: { shape_zyx: [4, 1, 1], pack } as unknown as VolumeIndex };
}

const decoder = {
  decode: async (
    bytes: Uint8Array,
    lengths: readonly number[],
    _voxels: number,
    _offset: number,
    sums: Uint8Array | null,
  ): Promise<Decoded> => {
    const damaged = sums ? await findDamaged(bytes, lengths, sums) : [];
    return { hu: Int16Array.from(lengths, (_, n) => (damaged.includes(n) ? MISSING : bytes[50 * n]!)), damaged };
  },
} as unknown as Decoder;

/** Load the pack from a server that answers like this; what arrived and what was lost. */
async function load(index: VolumeIndex, answer: (from: number, to: number, cache: string) => Response) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    const [from = 0, to = 0] = /bytes=(\d+)-(\d+)/
      .exec((init.headers as Record<string, string>)["Range"]!)!
      .slice(1)
      .map(Number);
    asked.push(`${from}-${to} ${init.cache}`);
    return Promise.resolve(answer(from, to + 1, String(init.cache)));
  });
  const arrived = new Map<number, number>();
  const lost: number[] = [];
  const stream = new SliceStream(index, decoder, {
    room: null,
    expect: () => undefined,
    arrived: (z0, _, hu) => hu?.forEach((value, n) => arrived.set(z0 + n, value)),
    trouble: () => undefined,
    lost: (z) => lost.push(z),
  });
  await stream.start();
  return { arrived, lost: lost.sort((a, b) => a - b), asked };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("sums", () => {
  it("of our own are those of everybody", async () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_003]) {
      const bytes = some(length, length);
      expect([...plainSha256(bytes)]).toEqual([...hash(bytes)]);
      expect([...(await sha256(bytes))]).toEqual([...hash(bytes)]);
    }
  });

  it("tell any flipped bit, and of which slice", async () => {
    const { bytes, index } = packOf();
    for (let at = 0; at < bytes.length; at += 7) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << (at % 8);
      expect(await findDamaged(wrong, [50, 50, 50, 50], sumsOf(index)!)).toEqual([Math.floor(at / 50)]);
    }
    expect(await findDamaged(bytes, [50, 50, 50, 50], sumsOf(index)!)).toEqual([]);
  });
});

describe("a damaged slice", () => {
  it("on the way is asked for once more, past the cache", async () => {
    const { bytes, index } = packOf();
    const wrong = bytes.slice();
    wrong[120]! ^= 4;
    const { arrived, lost, asked } = await load(
      index,
      (from, to, cache) => new Response((cache === "reload" ? bytes : wrong).slice(from, to)),
    );
    expect(asked).toEqual(["0-199 default", "0-199 reload"]);
    expect([arrived.size, lost]).toEqual([4, []]);
  });

  it("is not written where the others are, in shared memory", async () => {
    const { bytes, index } = packOf();
    const wrong = bytes.slice();
    wrong[120]! ^= 4;
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(wrong.slice())));
    const room = new Int16Array(new SharedArrayBuffer(8));
    const told: unknown[] = [];
    const writing = {
      decode: async (...[given, lengths, voxels, offset, sums, into]: Parameters<Decoder["decode"]>) => {
        told.push(["expected", ...told.splice(0)]);
        const { hu, damaged } = await decoder.decode(given, lengths, voxels, offset, sums, into);
        hu?.forEach((value, n) => {
          if (into && !damaged.includes(n)) into[n] = value;
        });
        return { hu: null, damaged };
      },
    } as unknown as Decoder;
    const stream = new SliceStream(index, writing, {
      room,
      expect: (z0, count) => told.push([z0, count]),
      arrived: (z0, count, hu) => told.push([z0, count, hu]),
      trouble: () => undefined,
      lost: (z) => told.push(z),
    });
    await stream.start();
    expect(told.slice(-3)).toEqual([2, [0, 2, null], [3, 1, null]]);
    expect(JSON.stringify(told[0])).toContain("[0,4]");
    expect([...room]).toEqual([bytes[0], bytes[50], 0, bytes[150]]);
  });

  it("that stays damaged is lost, and the others are there", async () => {
    const { bytes, index } = packOf();
    const wrong = bytes.slice();
    wrong[120]! ^= 4;
    const { arrived, lost, asked } = await load(index, (from, to) => new Response(wrong.slice(from, to)));
    expect(asked).toHaveLength(2);
    expect(lost).toEqual([2]);
    expect([...arrived]).toEqual([
      [0, bytes[0]],
      [1, bytes[50]],
      [3, bytes[150]],
    ]);
  });

  it("that the server names is lost, and the others are asked for by themselves", async () => {
    const { bytes, index } = packOf();
    const { arrived, lost } = await load(index, (from, to) =>
      from <= 60 && to > 60
        ? new Response(JSON.stringify({ code: "object_damaged", detail: "…", parts: [1] }), { status: 409 })
        : new Response(bytes.slice(from, to)),
    );
    expect(lost).toEqual([1]);
    expect([...arrived.keys()].sort((a, b) => a - b)).toEqual([0, 2, 3]);
  });

  it("of a pack that is missing takes all with it", async () => {
    const { lost } = await load(
      packOf().index,
      () => new Response(JSON.stringify({ code: "object_missing" }), { status: 409 }),
    );
    expect(lost).toEqual([0, 1, 2, 3]);
  });

  it("is stripes in every plane, has no value, and no slab looks through it", () => {
    const index = { shape_zyx: [3, 2, 2], pack: { dtype: "int16" } } as unknown as VolumeIndex;
    const preview: Preview = {
      voxels: new Uint8Array(12).fill(9),
      from: [3, 2, 2],
      step: [1, 1, 1],
      huLo: 0,
      huStep: 1,
    };
    const volume = new Volume(index, preview);
    volume.put(0, 1, new Int16Array(4).fill(5));
    volume.put(2, 1, new Int16Array(4).fill(7));
    volume.lose(1);
    const table = Uint32Array.from({ length: 65536 }, (_, n) => n);
    const axial = new Uint32Array(4),
      coronal = new Uint32Array(6);
    volume.paint("axial", 1, table, axial);
    volume.paint("coronal", 0, table, coronal);
    expect([...axial]).toEqual([stripe(0, 0), stripe(1, 0), stripe(0, 1), stripe(1, 1)]);
    expect([...coronal.subarray(2, 4)]).toEqual([stripe(0, 1), stripe(1, 1)]);
    expect([volume.at(0, 0, 0), volume.at(0, 0, 1)]).toEqual([5, null]);
    for (const kind of ["mip", "minip", "average"] as const) {
      const out = new Int16Array(4);
      projectRow(volume.hu, [3, 2, 2], "axial", 0, 3, kind, 0, out);
      expect([...out.subarray(0, 2)]).toEqual([MISSING, MISSING]);
    }
    volume.fill(1, new Int16Array(4).fill(9));
    expect(volume.at(0, 0, 1)).toBeNull();
  });

  it("is told by the number that the reader sees", () => {
    expect(whyDamaged([])).toBeNull();
    expect(whyDamaged([11, 12])).toContain("12, 13");
  });
});
