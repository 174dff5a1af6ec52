import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Answers } from "../../src/viewer/answers";
import { Problem } from "../../src/viewer/api";

class Store {
  readonly kept = new Map<string, string>();
  getItem(key: string) { return this.kept.get(key) ?? null; }
  setItem(key: string, text: string) { this.kept.set(key, text); }
  removeItem(key: string) { this.kept.delete(key); }
}

describe("answers", () => {
  let store: Store, sent: Readonly<Record<string, unknown>>[], refusals: string[], waits: unknown[], answer: () => Promise<unknown>;
  const open = (server: Record<string, unknown> = {}, canAnswer = true) =>
    new Answers("a1", server, canAnswer, (values) => { sent.push(values); return answer(); }, (why) => refusals.push(why), (values) => waits.push(values), store);

  beforeEach(() => { vi.useFakeTimers(); store = new Store(); sent = []; refusals = []; waits = []; answer = () => Promise.resolve(); });
  afterEach(() => { vi.useRealTimers(); });

  it("go to the server together, a little later", async () => {
    const answers = open({ quality: "good" });
    answers.set("diagnosis", "covid19");
    answers.set("quality", null);
    expect(answers.unsaved.value).toBe(true);
    await vi.advanceTimersByTimeAsync(600);
    expect([sent, answers.unsaved.value, store.kept.size]).toEqual([[{ diagnosis: "covid19" }], false, 0]);
    expect(waits).toEqual([{ quality: "good", diagnosis: "covid19" }, { diagnosis: "covid19" }, null]);
  });

  it("keep a no where a question must be answered", () => {
    const answers = open();
    answers.set("contrast", false);
    expect(answers.values.value).toEqual({ contrast: false });
  });

  it("outlive a reload without a network, over what the server has, and are sent then", async () => {
    answer = () => Promise.reject(new TypeError("no network"));
    const before = open({ diagnosis: "no_signs", confirmed_empty: true });
    before.set("diagnosis", "covid19");
    before.set("confirmed_empty", null);
    await vi.advanceTimersByTimeAsync(600);
    before.close();
    answer = () => Promise.resolve();
    sent = [];
    const after = open({ diagnosis: "no_signs", confirmed_empty: true, quality: "good" });
    expect(after.values.value).toEqual({ diagnosis: "covid19", quality: "good" });
    await vi.advanceTimersByTimeAsync(100);
    expect([sent, after.unsaved.value, store.kept.size]).toEqual([[{ diagnosis: "covid19", quality: "good" }], false, 0]);
  });

  it("are tried again by themselves until the server is there", async () => {
    answer = () => Promise.reject(new TypeError("no network"));
    const answers = open();
    answers.set("diagnosis", "covid19");
    await vi.advanceTimersByTimeAsync(6000);
    answer = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(6000);
    expect([sent.length, answers.unsaved.value, refusals]).toEqual([3, false, []]);
  });

  it("tell a refusal and keep what was answered", async () => {
    answer = () => Promise.reject(new Problem(422, "bad_answers", "No such answer.", {}));
    const answers = open();
    answers.set("diagnosis", "flu");
    await vi.advanceTimersByTimeAsync(600);
    expect([refusals, answers.unsaved.value]).toEqual([["No such answer."], true]);
    await expect(answers.save()).rejects.toThrow("No such answer");
  });

  it("given while others are on their way are sent after them", async () => {
    let arrive = (): void => undefined;
    answer = () => new Promise<void>((resolve) => { arrive = resolve; });
    const answers = open();
    answers.set("diagnosis", "covid19");
    await vi.advanceTimersByTimeAsync(600);
    answers.set("quality", "good");
    arrive();
    answer = () => Promise.resolve();
    await vi.advanceTimersByTimeAsync(600);
    expect([sent.at(-1), answers.unsaved.value]).toEqual([{ diagnosis: "covid19", quality: "good" }, false]);
  });

  it("of another browser are left alone by one who may not answer", () => {
    open().set("diagnosis", "covid19");
    expect(open({ diagnosis: "no_signs" }, false).values.value).toEqual({ diagnosis: "no_signs" });
  });
});
