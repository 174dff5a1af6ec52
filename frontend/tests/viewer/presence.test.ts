import "fake-indexeddb/auto";
import { describe, expect, it, vi } from "vitest";
import { reportOf, sendActivity } from "../../src/offline/activity";
import { intent, Intents } from "../../src/offline/intents";
import { joined, Presence } from "../../src/viewer/work/beat";

const S = 1000;

describe("active time", () => {
  it("runs from a sign until a minute after the last one", () => {
    const presence = new Presence();
    presence.sign(0);
    presence.sign(10 * S);
    expect(presence.take(20 * S)).toEqual([[0, 20 * S]]);
    expect(presence.take(300 * S)).toEqual([[20 * S, 70 * S]]);
    expect(presence.take(400 * S)).toEqual([]);
    presence.sign(500 * S);
    expect(presence.take(501 * S)).toEqual([[500 * S, 501 * S]]);
  });

  it("stands still while another window is worked in", () => {
    const presence = new Presence();
    presence.sign(0);
    presence.rest(5 * S);
    expect(presence.take(30 * S)).toEqual([[0, 5 * S]]);
    presence.sign(40 * S);
    expect(presence.take(41 * S)).toEqual([[40 * S, 41 * S]]);
  });

  it("is one period where its parts touch", () => {
    expect(
      joined([
        [5, 9],
        [0, 5],
        [20, 30],
        [22, 24],
      ]),
    ).toEqual([
      [0, 9],
      [20, 30],
    ]); // prettier-ignore
  });

  it("is told in seconds before now, whatever the clock of this browser says", () => {
    expect(reportOf({ periods: [[40 * S, 90 * S]] }, 100 * S).periods).toEqual([[60, 10]]);
    expect(reportOf({ periods: [[90 * S, 110 * S]] }, 100 * S).periods).toEqual([[10, 0]]);
  });

  it("of a journey without a network is sent, and dropped where the work has ended", async () => {
    vi.stubGlobal("document", { querySelector: () => null });
    const kept = new Intents("presence");
    const of = { assignment: "a1", code: "VX-1", review: null };
    const keep = () =>
      kept.put([intent(of, "activity", "p1", { periods: [[0, 5]] }), intent(of, "activity", "p2", { periods: [] })]);
    const send = async () => sendActivity(kept, "a1", await kept.list());
    const answers = vi.fn();
    vi.stubGlobal("fetch", answers);

    await keep();
    answers.mockRejectedValue(new TypeError("no network"));
    await expect(send()).rejects.toThrow("no network");
    expect(await kept.list()).toHaveLength(2);
    answers.mockResolvedValueOnce(new Response("{}"));
    answers.mockResolvedValueOnce(Response.json({ code: "not_editable", detail: "Handed in." }, { status: 409 }));
    await send();
    expect(await kept.list()).toEqual([]);
    expect(answers.mock.lastCall?.[0]).toBe("/api/v1/assignments/a1/beat");
    vi.unstubAllGlobals();
  });
});
