import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { beginScan, change, DEFAULTS, settings } from "../../src/ground/settings";
import { Notices } from "../../src/viewer/scan/notices";

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("a notice", () => {
  it("goes when its reason goes, and not before", async () => {
    const notices = new Notices(),
      locked = signal(true);
    notices.say("Opacity is locked.", "warn", () => locked.value);
    await tick();
    expect(notices.now.value?.text).toBe("Opacity is locked.");
    locked.value = false;
    await tick();
    expect(notices.now.value).toBeNull();
  });

  it("that came later stays when the reason of an earlier one goes", async () => {
    const notices = new Notices(),
      locked = signal(true);
    notices.say("Opacity is locked.", "warn", () => locked.value);
    notices.say("Saved.");
    locked.value = false;
    await tick();
    expect(notices.now.value?.text).toBe("Saved.");
  });

  it("without a reason stays until it is dismissed or expires; a fault does not expire", () => {
    const notices = new Notices();
    notices.say("It failed.", "bad");
    notices.expire();
    expect(notices.now.value?.tone).toBe("bad");
    notices.dismiss();
    expect(notices.now.value).toBeNull();
  });
});

describe("switches of the brushes", () => {
  it("last beyond the scan, unless the person wants each to begin as they come", () => {
    change({ planar: true, useLimit: false, radiusMm: 22 });
    beginScan();
    expect([settings.value.planar, settings.value.useLimit]).toEqual([true, false]);
    change({ switchesLast: false });
    beginScan();
    expect([settings.value.planar, settings.value.useLimit, settings.value.radiusMm]).toEqual([false, true, 22]);
    change(DEFAULTS);
  });
});
