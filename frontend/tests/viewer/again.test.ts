/** What did not come because the line was gone comes when it is back. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EditorClient } from "../../src/editor/client";
import { askAgain } from "../../src/ground/again";
import { Away, Problem } from "../../src/ground/api";
import type { Context } from "../../src/ground/context";
import type { Layer, Overlay } from "../../src/ground/contract";
import { Anatomy } from "../../src/viewer/scan/anatomy";
import { Overlays } from "../../src/viewer/scan/overlays";

const page = new EventTarget();
beforeEach(() => {
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  vi.stubGlobal("window", globalThis);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A server behind a line that is gone until it is `back`; `asked` are the addresses. */
function line() {
  const asked: string[] = [];
  let isGone = true;
  return {
    asked,
    fetchMask: (url: string): Promise<Uint8Array> => {
      asked.push(url);
      return isGone ? Promise.reject(new TypeError("Failed to fetch")) : Promise.resolve(Uint8Array.of(1));
    },
    back: () => {
      isGone = false;
      page.dispatchEvent(new Event("online"));
    },
  };
}

const editor = { putOverlay: () => Promise.resolve(), regions: () => Promise.resolve([]) } as unknown as EditorClient;
const overlay = (key: string): Overlay => ({ key, title: key, url: `/${key}` }) as unknown as Overlay;

describe("masks beside the live one", () => {
  it("are said to be missing, and come when the line is back", async () => {
    const { fetchMask, back } = line();
    const overlays = new Overlays();
    const [arrived, failed]: string[][] = [[], []];
    await overlays.load(
      ["prediction", "author"].map(overlay),
      editor,
      fetchMask,
      (key) => arrived!.push(key),
      (title) => failed!.push(title),
      new AbortController().signal,
    );
    expect([failed, arrived, [...overlays.loaded.value]]).toEqual([["prediction", "author"], [], []]);
    back();
    await vi.waitFor(() => expect([...overlays.loaded.value].sort()).toEqual(["author", "prediction"]));
    expect(arrived!.sort()).toEqual(["author", "prediction"]);
  });

  it("are asked for no more once the scan is left", async () => {
    const { fetchMask, back, asked } = line();
    const leaving = new AbortController();
    const overlays = new Overlays();
    await overlays.load(
      [overlay("prediction")],
      editor,
      fetchMask,
      () => {},
      () => {},
      leaving.signal,
    );
    const before = asked.length;
    leaving.abort();
    back();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([asked.length, overlays.loaded.value.size]).toEqual([before, 0]);
  });
});

it("layers that nobody draws on come when the line is back", async () => {
  const { fetchMask, back } = line();
  const drawn = { name: "findings", editable: true, segments: [] } as unknown as Layer;
  const lungs = { name: "lungs", title: "Lungs", editable: false, segments: [] } as unknown as Layer;
  const masks = { lungs: { layer: "lungs", source: "model", url: "/lungs" } };
  const context = { schema: { layers: [drawn, lungs] }, masks } as unknown as Context;
  const anatomy = new Anatomy(context, drawn);
  expect(await anatomy.load(editor, fetchMask, new AbortController().signal)).toEqual(["Lungs"]);
  back();
  await vi.waitFor(() => expect([...anatomy.loaded.value]).toEqual(["layer:lungs"]));
});

describe("asking again", () => {
  const { signal } = new AbortController();

  it("goes on by itself where the browser does not say that it is online", async () => {
    let times = 0;
    const answer = await askAgain(
      () => (++times < 4 ? Promise.reject(new Away(503, "", 0)) : Promise.resolve(7)),
      signal,
      1,
    );
    expect([answer, times]).toEqual([7, 4]);
  });

  it("takes no for an answer", async () => {
    const no = new Problem(403, "not_permitted", "No.", {});
    await expect(askAgain(() => Promise.reject(no), signal, 1)).rejects.toBe(no);
  });
});
