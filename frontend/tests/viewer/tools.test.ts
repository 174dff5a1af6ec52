import { describe, expect, test } from "vitest";
import { TOOLS } from "../../src/viewer/tools";

describe("tools", () => {
  test("each has a name and a key of its own", () => {
    for (const list of [TOOLS.map(({ name }) => name), TOOLS.map(({ key }) => key)])
      expect(new Set(list).size).toBe(list.length);
  });

  test("those of a group stand together in the rail", () => {
    const groups = TOOLS.map(({ group }) => group).filter((group, n, all) => group !== all[n - 1]);
    expect(groups).toEqual(["look", "draw", "mark"]);
  });
});
