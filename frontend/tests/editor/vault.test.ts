import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { Journal, journalOf } from "../../src/editor/journal";
import type { About } from "../../src/editor/keeper";
import { Unreadable, Vault } from "../../src/editor/vault";

const MINE = "a1".repeat(32),
  OTHER = "b2".repeat(32);
const ABOUT: About = {
  assignment: "a1",
  layer: "findings",
  scan: "VX-A-0001",
  maskUrl: "/m",
  shapeZyx: [1, 1, 1],
  spacingMmZyx: [1, 1, 1],
  lpsFromIjk: [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ],
};
const STROKE = {
  id: "s",
  tool: "grow",
  segment: 1,
  ijk: [1, 2, 3] as const,
  radius_mm: 2,
  params: { secretly: 7 },
  added: 1,
  removed: 0,
  at: "2026",
};

async function everything(name: string): Promise<string> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(name);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const all = await Promise.all(
    [...database.objectStoreNames].map(
      (store) =>
        new Promise<unknown>((resolve) => {
          const asked = database.transaction(store).objectStore(store).getAll();
          asked.onsuccess = () => resolve(asked.result);
        }),
    ),
  );
  database.close();
  return JSON.stringify(all, (_, value: unknown) =>
    value instanceof Uint8Array ? new TextDecoder("latin1").decode(value) : value,
  );
}

describe("a vault", () => {
  it("gives back what it sealed, and nothing to another key", async () => {
    const mine = await Vault.of(MINE);
    const value = { runs: new Uint8Array([1, 2, 3]), list: [{ bytes: new Uint8Array(0), text: "é" }], none: null };
    const sealed = await mine.sealValue(value);
    const shape = "runs:* list:[* none:?s";
    expect(await mine.openValue(sealed, shape)).toEqual(value);
    expect(await mine.sealValue(value)).not.toEqual(sealed);
    await expect((await Vault.of(OTHER)).openValue(sealed, shape)).rejects.toThrow(Unreadable);
    await expect(Vault.plain.openValue(sealed, shape)).rejects.toThrow(Unreadable);
  });

  it("says what another version kept that it does not understand, and leaves it", async () => {
    const mine = await Vault.of(MINE);
    const sealed = await mine.sealValue({ key: "k", upTo: "3" });
    await expect(mine.openValue(sealed, "key:s upTo:i")).rejects.toThrow(/kept\/upTo/);
    expect(await mine.openValue(sealed, "key upTo:s")).toEqual({ key: "k", upTo: "3" });
  });

  it("refuses what was changed", async () => {
    const mine = await Vault.of(MINE);
    const sealed = await mine.seal(new Uint8Array(100));
    sealed[50]! ^= 1;
    await expect(mine.open(sealed)).rejects.toThrow(Unreadable);
  });

  it("opens what an older version kept in clear", async () => {
    const mine = await Vault.of(MINE),
      old = await Journal.open("a1/findings", journalOf("old"));
    const epoch = await old.claim(ABOUT);
    const { state } = await old.read();
    await old.write({
      state: { ...state!, epoch, lastSeq: 1 },
      add: [{ line: "a1/findings", seq: 1, kind: "stroke", of: null, runs: new Uint8Array([9]), strokes: [STROKE] }],
      base: new Uint8Array([1]),
    });
    old.close();
    const found = (await Journal.unsent(journalOf("old"), mine))[0]!;
    expect([found.strokes, found.state.about]).toEqual([1, ABOUT]);
  });
});

describe("a sealed journal", () => {
  it("holds nothing of the scan that can be read without the key, and all of it with the key", async () => {
    const mine = await Vault.of(MINE),
      name = journalOf("reader");
    const journal = await Journal.open("a1/findings", name, mine);
    const epoch = await journal.claim(ABOUT);
    const { state } = await journal.read();
    const base = new TextEncoder().encode("voxels of a base"),
      runs = new TextEncoder().encode("voxels of a run"),
      body = new TextEncoder().encode("voxels on their way");
    const entry = { line: "a1/findings", seq: 1, kind: "stroke" as const, of: null, runs, strokes: [STROKE] };
    await journal.write({
      state: { ...state!, epoch, lastSeq: 1 },
      add: [entry],
      base,
      pending: { key: "k", upTo: 1, ifMatch: "empty", body },
    });
    const lying = await everything(name);
    for (const word of ["voxels", "VX-A-0001", "grow", "secretly"]) expect(lying).not.toContain(word);
    const again = await Journal.open("a1/findings", name, mine);
    const found = await again.read();
    expect([found.entries, found.base, found.pending?.body]).toEqual([[entry], base, body]);
    await expect((await Journal.open("a1/findings", name, await Vault.of(OTHER))).read()).rejects.toThrow(Unreadable);

    expect(await Journal.forgetSent(name)).toBe(true);
    await again.write({ state: { ...found.state!, ackedSeq: 1 } });
    expect(await Journal.forgetSent(name)).toBe(false);
    expect(await everything(name)).not.toContain("a1/findings");
  });
});
