import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";
import type { Difference } from "../../src/editor/types";
import { lead, type Leading } from "../../src/viewer/desk/leading";

/** A reviewer's desk with what `lead` reads of it, and the calls that it makes. */
function judge(isCorrection: boolean, kind: Difference["kind"]) {
  const found = [{ kind, ijk: [1, 2, 3] }];
  const goTo = vi.fn(),
    show = vi.fn(),
    choose = vi.fn();
  const differences = signal<unknown[]>([]);
  const desk = {
    session: { context: { can: { approve: true }, overlays: [{}] }, lesions: signal([]), goTo },
    review: { isCorrection, differences, isCounted: signal(false), show, choose },
    talk: {},
    turnTo: vi.fn(),
  };
  lead(desk as unknown as Leading);
  differences.value = found;
  return { goTo, show, choose, turnTo: desk.turnTo };
}

test.each(["added", "changed"] as const)("a reviewer begins at what was %s, with the mask alone", (kind) => {
  const calls = judge(false, kind);
  expect(calls.turnTo).toHaveBeenCalledWith("review");
  expect(calls.goTo).toHaveBeenCalledExactlyOnceWith([1, 2, 3]);
  expect(calls.choose).toHaveBeenCalledExactlyOnceWith(0);
  expect(calls.show).not.toHaveBeenCalled();
});

test("what was taken away cannot be seen in the mask: the difference is shown", () => {
  const calls = judge(false, "removed");
  expect(calls.show).toHaveBeenCalledExactlyOnceWith(0);
  expect(calls.goTo).not.toHaveBeenCalled();
});

test("what a reviewer changed is always shown as a difference", () => {
  expect(judge(true, "added").show).toHaveBeenCalledExactlyOnceWith(0);
});
