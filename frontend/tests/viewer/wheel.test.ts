import { describe, expect, it } from "vitest";
import { slicesOf, travelOf, Wheel } from "../../src/viewer/panes/wheel";

/** What a notch downwards is in each browser, measured with the wheel of an X server. */
const NOTCH = {
  "Chromium 156": { deltaX: 0, deltaY: 120, deltaMode: 0, wheelDeltaY: -120 },
  "Firefox 153 ESR": { deltaX: 0, deltaY: 6, deltaMode: 1, wheelDeltaY: -120 },
  "WebKitGTK 2.50": { deltaX: 0, deltaY: 104, deltaMode: 0, wheelDeltaY: -120 },
  "WebKitGTK 2.50, a low window": { deltaX: 0, deltaY: 45, deltaMode: 0, wheelDeltaY: -120 },
  "without the older facts": { deltaX: 0, deltaY: 3, deltaMode: 1 },
};

describe("a wheel", () => {
  it.each(Object.entries(NOTCH))("goes through one slice a notch in %s", (_, event) => {
    const wheel = new Wheel();
    const slices = [1, 2, 3].map(() => slicesOf(wheel.turn(travelOf(event))));
    expect(slices).toEqual([1, 1, 1]);
  });

  it("turns back at once", () => {
    const wheel = new Wheel();
    const up = { deltaX: 0, deltaY: -3, deltaMode: 1, wheelDeltaY: 120 };
    expect(slicesOf(wheel.turn(travelOf(NOTCH["Chromium 156"])))).toBe(1);
    expect(slicesOf(wheel.turn(travelOf(up)))).toBe(-1);
  });

  it("adds up what a trackpad sends in parts", () => {
    const wheel = new Wheel();
    const part = { deltaX: 0, deltaY: 11, deltaMode: 0, wheelDeltaY: -33 };
    const slices = Array.from({ length: 20 }, () => slicesOf(wheel.turn(travelOf(part))));
    expect(slices.reduce((sum, n) => sum + n, 0)).toBe(4);
  });
});
