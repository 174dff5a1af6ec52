/** What is asked for while the line would be idle: the preview before the viewer's script, the lung limit behind it. */

import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Context } from "../../src/ground/context";
import type { VolumeIndex } from "../../src/ground/contract";
import type { Decoder } from "../../src/load/decoder";
import { sketchVolume } from "../../src/load/preview";
import { fetchEarly, fetchKept } from "../../src/load/shelf";

/** Addresses as they are asked for; each answers with bytes that say which time it was. */
function watchFetch(answers: (url: string, time: number) => Response = bytesOfTime): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(answers(url, asked.filter((one) => one === url).length));
  });
  return asked;
}
const bytesOfTime = (_: string, time: number): Response => new Response(Uint8Array.of(time));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe("a part that was asked for early", () => {
  it("is taken by who asks first, and by nobody else", async () => {
    const asked = watchFetch();
    fetchEarly("/early/1");
    expect(await fetchKept("/early/1")).toEqual(Uint8Array.of(1));
    expect(await fetchKept("/early/1")).toEqual(Uint8Array.of(2));
    expect(asked).toEqual(["/early/1", "/early/1"]);
  });

  it("is not taken by who asks for another one", async () => {
    const asked = watchFetch();
    fetchEarly("/early/2");
    await fetchKept("/early/3");
    await fetchKept("/early/2");
    expect(asked).toEqual(["/early/2", "/early/3"]);
  });

  it("is not taken by who wants it anew, nor by anybody after that", async () => {
    const asked = watchFetch();
    fetchEarly("/early/4");
    await vi.waitFor(() => expect(asked).toHaveLength(1), 30_000);
    expect(await fetchKept("/early/4", { cache: "reload" })).toEqual(Uint8Array.of(2));
    expect(await fetchKept("/early/4")).toEqual(Uint8Array.of(3));
    expect(asked).toHaveLength(3);
  });

  it("that did not come is told to who takes it, and asked for again by the next", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    watchFetch((_, time) => (time === 1 ? new Response("{}", { status: 404 }) : bytesOfTime("", time)));
    fetchEarly("/early/5");
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
    await expect(fetchKept("/early/5")).rejects.toMatchObject({ status: 404 });
    expect(await fetchKept("/early/5")).toEqual(Uint8Array.of(2));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("the early script", () => {
  /** What it has asked for before anything was answered. */
  const run = async (context: string | null): Promise<string[]> => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (url: string) => {
      asked.push(url);
      return new Promise(() => undefined);
    });
    vi.stubGlobal("document", {
      getElementById: (id: string) => (id === "context" && context !== null ? { textContent: context } : null),
      querySelector: () => null,
    });
    await import("../../src/viewer/early");
    await new Promise((resolve) => setImmediate(resolve));
    return asked;
  };

  it("asks for the preview and for the scripts of the workers, and waits for none of them", async () => {
    const context = '{"scan": {"index": {"preview": {"url": "/scan/preview", "more": 1}}}}';
    const asked = await run(context);
    // Whether this browser keeps the preview is looked up first, which takes some turns.
    await vi.waitFor(() => expect(asked).toHaveLength(4), 30_000);
    const kinds = asked.map((url) => /decode\.worker|openjph|editor\.worker|preview/.exec(url)?.[0]);
    expect(new Set(kinds)).toEqual(new Set(["decode.worker", "editor.worker", "openjph", "preview"]));
    expect(asked).toContain("/scan/preview");
  });

  it.each([null, "", "{", "null", '{"scan": {"index": null}}', '{"scan": {"index": {"preview": {"url": 1}}}}'])(
    "asks for nothing where the page has no preview: %s",
    async (context) => {
      expect(await run(context)).toEqual([]);
    },
  );
});

/** A decoder whose results a test gives out; each value is that of its place in the bytes. */
function heldDecoder() {
  const calls: { bytes: Uint8Array; lengths: readonly number[]; voxels: number; finish: () => void }[] = [];
  const decodePreview = (bytes: Uint8Array, lengths: readonly number[], voxels: number) =>
    new Promise<Uint8Array>((resolve) => {
      let at = 0;
      const values = lengths.flatMap((length) => {
        const value = bytes[at] ?? 0;
        at += length;
        return Array.from({ length: voxels }, () => value);
      });
      calls.push({ bytes, lengths, voxels, finish: () => resolve(Uint8Array.from(values)) });
    });
  return { calls, decoder: { decodePreview } as unknown as Decoder };
}

const indexOf = (lengths: readonly number[] | null, from: readonly [number, number, number]): VolumeIndex =>
  ({
    shape_zyx: from,
    pack: { dtype: "int16" },
    preview: { shape_zyx: from, step_zyx: [1, 1, 1], hu_lo: -1000, hu_step: 4, lengths },
  }) as unknown as VolumeIndex;

describe("the halves of a preview", () => {
  it("go to both workers at once and come together in order, whichever is first", async () => {
    const { calls, decoder } = heldDecoder();
    const bytes = Uint8Array.of(10, 0, 20, 30, 0, 0, 40, 50);
    const coming = sketchVolume(indexOf([2, 1, 3, 1, 1], [5, 1, 2]), bytes, decoder);
    expect(calls.map(({ lengths }) => lengths)).toEqual([
      [2, 1],
      [3, 1, 1],
    ]);
    expect(calls.map((call) => [...call.bytes])).toEqual([
      [10, 0, 20],
      [30, 0, 0, 40, 50],
    ]);
    expect(calls.map(({ voxels }) => voxels)).toEqual([2, 2]);
    calls[1]!.finish();
    calls[0]!.finish();
    const { preview } = await coming;
    expect([...preview.voxels]).toEqual([10, 10, 20, 20, 30, 30, 40, 40, 50, 50]);
    expect([preview.huLo, preview.huStep, preview.from]).toEqual([-1000, 4, [5, 1, 2]]);
  });

  it("of one slice are nothing and the slice", async () => {
    const { calls, decoder } = heldDecoder();
    const coming = sketchVolume(indexOf([3], [1, 2, 2]), Uint8Array.of(7, 0, 0), decoder);
    for (const { finish } of calls) finish();
    expect(calls.map(({ lengths }) => lengths)).toEqual([[], [3]]);
    expect([...(await coming).preview.voxels]).toEqual([7, 7, 7, 7]);
  });

  it("that one worker cannot decode are no preview", async () => {
    const decodePreview = vi
      .fn<Decoder["decodePreview"]>()
      .mockResolvedValueOnce(Uint8Array.of(1))
      .mockRejectedValueOnce(new Error("The bytes end early."));
    const coming = sketchVolume(indexOf([1, 1], [2, 1, 1]), Uint8Array.of(1, 2), {
      decodePreview,
    } as unknown as Decoder);
    await expect(coming).rejects.toThrow("end early");
  });

  it("are not there in a preview of before it was coded", async () => {
    const inflate = vi.fn<Decoder["inflate"]>().mockResolvedValue(Uint8Array.of(1, 2));
    const found = await sketchVolume(indexOf(null, [2, 1, 1]), Uint8Array.of(9), { inflate } as unknown as Decoder);
    expect([...found.preview.voxels]).toEqual([1, 2]);
  });
});

describe("opening a scan", () => {
  const steps: string[] = [];
  beforeEach(() => {
    steps.length = 0;
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("document", { querySelector: () => null });
    const note = (step: string) => () => {
      steps.push(step);
      return Promise.resolve(new Uint8Array(1));
    };
    vi.doMock("../../src/load/shelf", () => ({ fetchKept: (url: string) => note(`fetch ${url}`)() }));
    vi.doMock("../../src/load/pace", () => ({ firstImages: note("first images are shown") }));
    vi.doMock("../../src/load/prefetch", () => ({ prefetchNext: note("next scan") }));
    vi.doMock("../../src/viewer/scan/beside", () => ({
      loadAnatomy: note("anatomy"),
      loadOverlays: note("overlays"),
      loadProbability: note("probability"),
    }));
    vi.doMock("../../src/viewer/scan/voxels", () => ({
      Voxels: class {
        volume = signal(null);
        fullSlices = signal(0);
        filled = signal(false);
        trouble = signal(null);
        lostSlices = signal([]);
        async sketch() {
          steps.push("fetch preview");
          await Promise.resolve();
          return { volume: {}, preview: { voxels: new Uint8Array(1), from: [1, 1, 1], step: [1, 1, 1] } };
        }
        show = () => steps.push("preview is shown");
        stream = note("slices");
        close = () => undefined;
      },
    }));
    const editor = new Proxy(
      {},
      { get: (_, name) => (name === "then" ? undefined : note(name === "putLimit" ? "limit is used" : "")) },
    );
    vi.doMock("../../src/editor/client", () => ({ openEditor: () => Promise.resolve(editor) }));
  });

  const open = async (limit: string | null) => {
    const { ScanSession } = await import("../../src/viewer/scan/session");
    const index = {
      ...indexOf(null, [1, 2, 2]),
      spacing_mm_zyx: [1, 1, 1],
      lps_from_ijk: [],
      modality: "CT",
      limit: { url: "/limit", background_hu: -900 },
    };
    const layer = { name: "findings", editable: true, segments: [], limit };
    const context = {
      id: "a1",
      user: "u1",
      can: { edit: true },
      schema: { layers: [layer] },
      masks: { findings: { url: "/mask" } },
      overlays: [],
      seen: { slices: "" },
      scan: { index, code: "VX-1", shape_zyx: [1, 2, 2], spacing_mm_zyx: [1, 1, 1], modality: "CT" },
    } as unknown as Context;
    const session = new ScanSession(context);
    await session.open();
    session.close();
    expect(session.failure.value).toBe("");
    return steps.filter(Boolean);
  };

  it("fetches the lung limit behind the preview, once the first images are shown", async () => {
    const found = await open("lungs");
    const order = ["fetch preview", "preview is shown", "first images are shown", "fetch /limit", "limit is used"];
    expect(found.filter((step) => order.includes(step))).toEqual(order);
    expect(found.indexOf("anatomy")).toBeGreaterThan(found.indexOf("limit is used"));
    expect(found.indexOf("slices")).toBeGreaterThan(found.indexOf("first images are shown"));
    expect(found.at(-1)).toBe("next scan");
  });

  it("fetches no limit where the layer has none", async () => {
    expect(await open(null)).not.toContain("fetch /limit");
  });
});
