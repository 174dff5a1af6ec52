import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { change, type Copy, DEFAULTS, keepSettings, merge, settings } from "../../src/ground/settings";

class Store {
  readonly kept = new Map<string, string>();
  getItem(key: string) {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, text: string) {
    this.kept.set(key, text);
  }
}

describe("merging", () => {
  it("takes the server's copy, and what was never sent over it", () => {
    const { values, unsent } = merge(
      { saved: 5, values: { opacity: 40, radiusMm: 9 } },
      { saved: 4, values: { opacity: 70, radiusMm: 20 }, unsent: ["opacity"] },
    );
    expect([values.opacity, values.radiusMm, [...unsent]]).toEqual([70, 9, ["opacity"]]);
  });

  it("takes the browser's copy when the page came from a cache", () => {
    expect(
      merge({ saved: 3, values: { opacity: 40 } }, { saved: 4, values: { opacity: 50 }, unsent: [] }).values.opacity,
    ).toBe(50);
  });

  it("leaves out what it does not know or what is of another kind", () => {
    const { values } = merge(
      { saved: 1, values: { opacity: "much", nonsense: 1, keys: { undo: "U" }, recent: [1] } },
      null,
    );
    expect(values).toEqual(DEFAULTS);
  });
});

describe("keeping", () => {
  let store: Store, sent: Readonly<Record<string, unknown>>[], answer: () => Promise<Copy>, stop: () => void;
  const open = (server: Copy = { saved: 0, values: {} }) => {
    stop = keepSettings("annotator1", server, store, (values) => {
      sent.push(values);
      return answer();
    });
  };

  beforeEach(() => {
    vi.useFakeTimers();
    store = new Store();
    sent = [];
    answer = () => Promise.resolve({ saved: 1, values: {} });
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it("sends only what changed, once, and a default as null", async () => {
    open({ saved: 0, values: { smooth: false } });
    change({ opacity: 40 });
    change({ opacity: 41, smooth: true });
    await vi.advanceTimersByTimeAsync(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual([{ opacity: 41, smooth: null }]);
  });

  it("keeps a change over a reload without a network, and sends it when there is one", async () => {
    answer = () => Promise.reject(new TypeError("offline"));
    open();
    change({ opacity: 40 });
    await vi.advanceTimersByTimeAsync(1000);
    stop();
    answer = () => Promise.resolve({ saved: 1, values: {} });
    open();
    expect(settings.value.opacity).toBe(40);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toEqual([{ opacity: 40 }, { opacity: 40 }]);
    stop();
    open({ saved: 2, values: { opacity: 60 } });
    expect(settings.value.opacity).toBe(60);
  });

  it("does not lose a change that is made while one is on its way", async () => {
    let arrive: (copy: Copy) => void = () => undefined;
    answer = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    open();
    change({ opacity: 40 });
    await vi.advanceTimersByTimeAsync(1000);
    change({ opacity: 50 });
    arrive({ saved: 1, values: {} });
    answer = () => Promise.resolve({ saved: 2, values: {} });
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent).toEqual([{ opacity: 40 }, { opacity: 50 }]);
  });
});
