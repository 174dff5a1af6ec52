import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { intent, Intents, Shelf } from "../../src/offline/intents";
import { moveOld } from "../../src/offline/moving";
import { checked, Problem } from "../../src/ground/api";
import { Outgoing, type Values } from "../../src/viewer/work/outgoing";

const HERE = { assignment: "a1", code: "VX-1", review: "r1" };
let people = 0;

describe("answers", () => {
  let intents: Intents,
    server: Record<string, unknown>,
    sent: Values[],
    answer: () => Promise<unknown>,
    pages: Outgoing[];
  const kept = async () => Object.fromEntries((await intents.list()).map(({ name, value }) => [name, value]));
  /** Another page (or tab) of the same browser. */
  const open = (can = true) => {
    const page = new Outgoing(new Shelf(intents, HERE, "answer"), server, can, async (changes) => {
      sent.push(changes);
      await answer();
      server = Object.fromEntries(Object.entries({ ...server, ...changes }).filter(([, value]) => value !== null));
      return { values: server };
    });
    pages.push(page);
    return page;
  };
  const until = (told: () => unknown, wanted: unknown) =>
    vi.waitFor(() => expect(told()).toEqual(wanted), { timeout: 30_000, interval: 5 });
  const noNetwork = () => Promise.reject(new TypeError("no network"));

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true, advanceTimeDelta: 200 });
    intents = new Intents(`p${people++}`);
    server = {};
    sent = [];
    pages = [];
    answer = () => Promise.resolve();
  });
  afterEach(() => {
    for (const page of pages) page.close();
    vi.useRealTimers();
  });

  it("go to the server together, a little later, and wait here no more", async () => {
    server = { quality: "good" };
    const page = open();
    page.set({ diagnosis: "covid19" });
    page.set({ quality: null, contrast: false });
    expect([page.unsaved.value, page.values.value]).toEqual([true, { diagnosis: "covid19", contrast: false }]);
    await until(() => page.unsaved.value, false);
    expect([sent, await kept()]).toEqual([[{ diagnosis: "covid19", quality: null, contrast: false }], {}]);
  });

  it("outlive a crash without a network, over what the server has, and are sent then", async () => {
    server = { diagnosis: "no_signs", confirmed_empty: true };
    answer = noNetwork;
    const before = open();
    before.set({ diagnosis: "covid19", confirmed_empty: null });
    await expect(before.save()).rejects.toThrow("no network");
    before.close();
    server = { ...server, quality: "good" };
    answer = () => Promise.resolve();
    const after = open();
    await after.restored;
    expect([after.values.value, after.unsaved.value]).toEqual([{ diagnosis: "covid19", quality: "good" }, true]);
    await until(() => after.unsaved.value, false);
    expect([server, await kept()]).toEqual([{ diagnosis: "covid19", quality: "good" }, {}]);
  });

  it("are tried again by themselves until the server is there", async () => {
    answer = noNetwork;
    const page = open();
    page.set({ diagnosis: "covid19" });
    await until(() => sent.length, 1);
    await vi.advanceTimersByTimeAsync(5100);
    await until(() => sent.length, 2);
    answer = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(5100);
    await until(() => page.unsaved.value, false);
    expect(page.refused.value).toBeNull();
  });

  it("that are refused are told and kept; the next ones take them along", async () => {
    answer = () => Promise.reject(new Problem(422, "bad_answers", "No such answer.", {}));
    const page = open();
    page.set({ diagnosis: "flu" });
    await expect(page.save()).rejects.toThrow("No such answer");
    expect([page.refused.value, page.unsaved.value, await kept()]).toEqual([
      "No such answer.",
      true,
      { diagnosis: "flu" },
    ]);
    answer = () => Promise.resolve();
    page.set({ diagnosis: "covid19" });
    await page.save();
    expect([page.refused.value, page.unsaved.value, server]).toEqual([null, false, { diagnosis: "covid19" }]);
  });

  it("to which the server says something that is not understood are told, kept and sent again", async () => {
    const shape = "values:{*";
    answer = async () => checked(await Promise.resolve({ values: [] }), shape, "answers");
    const page = open();
    page.set({ diagnosis: "covid19" });
    await expect(page.save()).rejects.toThrow("answers/values");
    expect([page.refused.value?.slice(0, 31), page.unsaved.value, await kept()]).toEqual([
      "The server answered something t",
      true,
      { diagnosis: "covid19" },
    ]);
    answer = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(5100);
    await until(() => page.unsaved.value, false);
    expect([page.refused.value, server]).toEqual([null, { diagnosis: "covid19" }]);
  });

  it("given while others are on their way are not taken for sent", async () => {
    const page = open();
    answer = () => {
      answer = () => Promise.resolve();
      page.set({ diagnosis: "other", quality: "good" });
      return Promise.resolve();
    };
    page.set({ diagnosis: "covid19" });
    await page.save();
    expect([page.unsaved.value, page.values.value]).toEqual([true, { diagnosis: "other", quality: "good" }]);
    await until(() => page.unsaved.value, false);
    expect(server).toEqual({ diagnosis: "other", quality: "good" });
  });

  it("of two tabs meet: none undoes the other's, and one sends for both", async () => {
    answer = noNetwork;
    const [one, two] = [open(), open()];
    one.set({ diagnosis: "covid19" });
    two.set({ quality: "good" });
    await expect(one.save()).rejects.toThrow();
    answer = () => Promise.resolve();
    await two.save();
    await one.save();
    expect([server, two.values.value, await kept(), one.unsaved.value]).toEqual([
      { diagnosis: "covid19", quality: "good" },
      { diagnosis: "covid19", quality: "good" },
      {},
      false,
    ]);
  });

  it("of another time are left alone by one who may not answer", async () => {
    await intents.put([intent(HERE, "answer", "diagnosis", "covid19")]);
    server = { diagnosis: "no_signs" };
    const page = open(false);
    await page.restored;
    expect([page.values.value, await kept()]).toEqual([{ diagnosis: "no_signs" }, { diagnosis: "covid19" }]);
  });

  it("live as long as the page where the browser keeps nothing", async () => {
    const closed = vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("no", "SecurityError");
    });
    intents = new Intents("private");
    await intents.list();
    closed.mockRestore();
    const page = open();
    page.set({ diagnosis: "covid19" });
    await page.save();
    expect([server, await kept()]).toEqual([{ diagnosis: "covid19" }, {}]);
  });

  it("of older versions move here once, with everything else that was kept", async () => {
    const { user } = intents;
    const old = new Map(
      Object.entries({
        [`voxloop.intents:${user}`]: {
          a1: { assignment: "a1", code: "VX-1", answers: { diagnosis: "covid19", quality: "good" } },
          a2: {
            assignment: "a2",
            code: "VX-2",
            answers: { quality: "poor" },
            submit: { acknowledged: ["x"], at: "t" },
          },
        },
        [`voxloop.answers.${user}.a1`]: { diagnosis: "covid19", confirmed_empty: null },
        [`voxloop.talk.${user}.a1`]: [{ id: "w1", text: "here", ijk: null, to: null, refused: null }],
        [`voxloop.drafts.${user}.r1`]: [{ text: "mend", ijk: [1, 2, 3] }],
        "voxloop.checked.r1": ["prediction added 1 2 3"],
        [`voxloop.answers.${user}.b.a1`]: { quality: "good" },
        [`voxloop.answers.${user}.a3`]: ["no answers by name"],
        "voxloop.settings": {},
      }).map(([key, value]) => [key, JSON.stringify(value)] as const),
    );
    const store = {
      get length() {
        return old.size;
      },
      key: (n: number) => [...old.keys()][n] ?? null,
      getItem: (key: string) => old.get(key) ?? null,
      removeItem: (key: string) => void old.delete(key),
    };
    await moveOld(intents, HERE, store);
    expect(
      (await intents.list())
        .map(({ assignment, code, kind, name, value }) => [
          assignment,
          code,
          kind,
          name,
          typeof value === "object" && value && "text" in value ? value.text : value,
        ])
        .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ).toEqual([
      ["a1", "VX-1", "answer", "confirmed_empty", null],
      ["a1", "VX-1", "answer", "diagnosis", "covid19"],
      ["a1", "VX-1", "check", "prediction added 1 2 3", true],
      ["a1", "VX-1", "draft", "moved-0", "mend"],
      ["a1", "VX-1", "word", "w1", "here"],
      ["a2", "VX-2", "answer", "quality", "poor"],
      ["a2", "VX-2", "submit", "", { acknowledged: ["x"], at: "t" }],
    ]);
    // What is not this person's, or not understood, stays.
    expect([...old.keys()]).toEqual([`voxloop.answers.${user}.b.a1`, `voxloop.answers.${user}.a3`, "voxloop.settings"]);
  });
});
