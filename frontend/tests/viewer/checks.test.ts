import { describe, expect, it } from "vitest";
import { checkWork, type MaskFacts } from "../../src/viewer/checks";
import type { Context } from "../../src/viewer/context";

const SCHEMA: Context["schema"] = {
  layers: [],
  questions: [
    { key: "diagnosis", text: "Diagnosis", kind: "choice", required: true, options: [
      { value: "covid19", label: "COVID-19", means: "infection" }, { value: "no_signs", label: "No signs", means: "no_infection" },
    ] },
    { key: "confirmed_empty", text: "Empty", kind: "boolean", required: false, options: [] },
  ],
};
const MARKED: MaskFacts = { unit: "mL", infectiousMl: 4, totalMl: 5, outsideMl: 0.2, firstOutside: null };
const EMPTY: MaskFacts = { unit: "mL", infectiousMl: 0, totalMl: 0, outsideMl: 0, firstOutside: null };
const wrong = (answers: Record<string, unknown>, mask: MaskFacts, comments = 0) => checkWork(SCHEMA, answers, mask, comments).filter((c) => !c.ok).map((c) => c.code);

describe("checks before submitting", () => {
  it("find nothing when mask and answers tell the same story", () => {
    expect(wrong({ diagnosis: "covid19" }, MARKED)).toEqual([]);
    expect(wrong({ diagnosis: "no_signs", confirmed_empty: true }, EMPTY)).toEqual([]);
  });

  it.each([
    ["an unanswered question", {}, MARKED, ["question_unanswered"]],
    ["no signs, but a mask", { diagnosis: "no_signs" }, MARKED, ["no_signs_with_mask"]],
    ["a finding without a mask", { diagnosis: "covid19" }, EMPTY, ["finding_without_mask"]],
    ["an empty mask that nobody confirmed", { diagnosis: "no_signs" }, EMPTY, ["empty_not_confirmed"]],
    ["confirmed empty, but marked", { diagnosis: "covid19", confirmed_empty: true }, MARKED, ["confirmed_empty_with_mask"]],
    ["a mask outside the lungs", { diagnosis: "covid19" }, { ...MARKED, outsideMl: 1.2 }, ["mask_outside_lung"]],
  ])("find %s", (_, answers, mask, codes) => expect(wrong(answers, mask)).toEqual(codes));

  it("let warnings pass and stop at the rest", () => {
    const checks = checkWork(SCHEMA, {}, { ...MARKED, outsideMl: 3 }, 1);
    expect(checks.filter((c) => !c.ok && c.blocking).map((c) => c.code)).toEqual(["question_unanswered"]);
  });

  it("do not speak of the lungs where there is no limit", () => {
    expect(checkWork(SCHEMA, {}, { ...MARKED, outsideMl: null }, 0).map((c) => c.code)).not.toContain("mask_outside_lung");
  });
});
