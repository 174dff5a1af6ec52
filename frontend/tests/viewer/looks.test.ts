import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Looks, SEEN_MS } from "../../src/viewer/scan/looks";
import { checkWork, type SeenFacts, seenWords } from "../../src/viewer/work/checks";

const lesion = (z0: number, z1: number) => ({ box: { x0: 0, y0: 0, x1: 1, y1: 1, z0, z1 } });

describe("what was looked at", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("document", { hidden: false });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const page = (looks: Looks, slices: readonly number[], ms: number) => {
    for (const z of slices) {
      looks.show(z);
      vi.advanceTimersByTime(ms);
    }
    looks.show(null);
    vi.advanceTimersByTime(SEEN_MS);
  };

  it("is what was on the screen long enough, once", () => {
    const looks = new Looks(20, "");
    page(looks, [3, 4, 5, 4, 3], SEEN_MS);
    expect([looks.count.value, looks.has(4), looks.has(6), looks.firstUnseen]).toEqual([3, true, false, 0]);
  });

  it("is nothing of what flies by, or lies behind another tab", () => {
    const looks = new Looks(20, "");
    page(looks, [...Array(20).keys()], SEEN_MS / 2);
    vi.stubGlobal("document", { hidden: true });
    page(looks, [7], 10 * SEEN_MS);
    expect(looks.count.value).toBe(0);
  });

  it("goes on from what the server has", () => {
    const before = new Looks(20, "");
    page(before, [0, 9, 19], SEEN_MS);
    const looks = new Looks(20, before.text);
    page(looks, [1], SEEN_MS);
    expect([...Array(20).keys()].filter((z) => looks.has(z))).toEqual([0, 1, 9, 19]);
    expect(looks.share).toBe(0.2);
  });

  it("visits a lesion by half of its slices", () => {
    const looks = new Looks(20, "");
    page(looks, [4, 5], SEEN_MS);
    expect([lesion(4, 8), lesion(5, 8), lesion(5, 6)].map((one) => looks.isVisited(one))).toEqual([true, false, true]);
    expect(looks.lesions([lesion(4, 8), lesion(10, 12)])).toEqual([1, 2]);
  });
});

describe("the check of it", () => {
  const facts: SeenFacts = { share: 0.129, visited: 0, lesions: 16, isEnough: false, blocks: false, next: [1, 2, 3] };

  it("says how much was seen, as the server does", () => {
    expect(seenWords(facts)).toBe("Slices seen 12 %, no lesion visited");
    expect(seenWords({ ...facts, visited: 3 })).toBe("Slices seen 12 %, 3 of 16 lesions visited");
    expect(seenWords({ ...facts, lesions: 0 })).toBe("Slices seen 12 %");
  });

  it("warns or hinders by the campaign's policy, and leads to the first unseen slice", () => {
    const schema = { layers: [], questions: [] };
    const mask = { unit: "mL", infectiousMl: 0, totalMl: 0, outsideMl: null, firstOutside: null } as const;
    const check = (seen: SeenFacts | null) =>
      checkWork(schema, {}, mask, { open: 0, refused: 0 }, seen).find(({ code }) => code === "not_seen");
    expect(check(facts)).toMatchObject({ ok: false, blocking: false, jump: { ijk: [1, 2, 3] } });
    expect(check({ ...facts, blocks: true })).toMatchObject({ ok: false, blocking: true });
    expect(check({ ...facts, isEnough: true })).toMatchObject({ ok: true });
    expect(check(null)).toBeUndefined();
  });
});
