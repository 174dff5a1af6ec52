import { describe, expect, it } from "vitest";
import { checkWork, type MaskFacts } from "../../src/viewer/work/checks";
import type { Context } from "../../src/ground/context";
import type { Question } from "../../src/ground/contract";
import { isSame, numberOf, shownQuestions, withReturning } from "../../src/viewer/work/questions";

const question = (part: Partial<Question>): Question => ({
  key: "q",
  text: "Q",
  kind: "boolean",
  required: false,
  options: [],
  unit: "",
  min: null,
  max: null,
  decimals: 0,
  max_length: 200,
  shown_when: null,
  ...part,
});

const SCHEMA: Context["schema"] = {
  layers: [],
  questions: [
    question({
      key: "diagnosis",
      text: "Diagnosis",
      kind: "choice",
      required: true,
      options: [
        { value: "covid19", label: "COVID-19", means: "infection" },
        { value: "no_signs", label: "No signs", means: "no_infection" },
      ],
    }),
    question({ key: "confirmed_empty", text: "Empty" }),
    question({
      key: "others",
      text: "Others",
      kind: "choices",
      options: [
        { value: "nodule", label: "Nodule", means: "" },
        { value: "other", label: "Other", means: "" },
      ],
    }),
    question({
      key: "mm",
      text: "Size",
      kind: "number",
      required: true,
      min: 1,
      max: 30,
      decimals: 1,
      shown_when: { question: "others", in: ["nodule"] },
    }),
    question({ key: "solid", text: "Solid", shown_when: { question: "others", in: ["nodule"] } }),
    question({ key: "why", text: "Why", kind: "text", required: true, shown_when: { question: "solid", in: [false] } }),
  ],
};
const MARKED: MaskFacts = { unit: "mL", infectiousMl: 4, totalMl: 5, outsideMl: 0.2, firstOutside: null };
const EMPTY: MaskFacts = { unit: "mL", infectiousMl: 0, totalMl: 0, outsideMl: 0, firstOutside: null };
const wrong = (answers: Record<string, unknown>, mask: MaskFacts, comments = { open: 0, refused: 0 }) =>
  checkWork(SCHEMA, answers, mask, comments)
    .filter((c) => !c.ok)
    .map((c) => c.code);

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
    [
      "confirmed empty, but marked",
      { diagnosis: "covid19", confirmed_empty: true },
      MARKED,
      ["confirmed_empty_with_mask"],
    ],
    ["a mask outside the lungs", { diagnosis: "covid19" }, { ...MARKED, outsideMl: 1.2 }, ["mask_outside_lung"]],
  ])("find %s", (_, answers, mask, codes) => expect(wrong(answers, mask)).toEqual(codes));

  it("let warnings pass and stop at the rest", () => {
    const checks = checkWork(SCHEMA, {}, { ...MARKED, outsideMl: 3 }, { open: 1, refused: 1 });
    expect(checks.filter((c) => !c.ok && c.blocking).map((c) => c.code)).toEqual(["question_unanswered"]);
  });

  it("warn of comments that are open or were refused", () => {
    expect(wrong({ diagnosis: "covid19" }, MARKED, { open: 2, refused: 1 })).toEqual([
      "open_comments",
      "refused_comments",
    ]);
  });

  it("do not speak of the lungs where there is no limit", () => {
    expect(
      checkWork(SCHEMA, {}, { ...MARKED, outsideMl: null }, { open: 0, refused: 0 }).map((c) => c.code),
    ).not.toContain("mask_outside_lung");
  });
});

describe("conditional questions", () => {
  const asked = (answers: Record<string, unknown>) =>
    shownQuestions(SCHEMA.questions, answers)
      .map(({ key }) => key)
      .slice(3);

  it("are asked after an answer that asks for them, itself asked", () => {
    expect([asked({}), asked({ others: ["other"] }), asked({ others: ["other", "nodule"] })]).toEqual([
      [],
      [],
      ["mm", "solid"],
    ]);
    expect([asked({ others: ["nodule"], solid: false }), asked({ others: [], solid: false })]).toEqual([
      ["mm", "solid", "why"],
      [],
    ]);
  });

  it("must be answered only where they are asked", () => {
    expect(wrong({ diagnosis: "covid19", others: ["nodule"] }, MARKED)).toEqual(["question_unanswered"]);
    expect(wrong({ diagnosis: "covid19", others: ["nodule"], mm: 4 }, MARKED)).toEqual([]);
  });

  it("come back with what was answered, which is said anew", () => {
    const answers = { others: ["other"], mm: 4, solid: false, why: "x" };
    expect(withReturning(SCHEMA.questions, answers, "others", ["nodule"])).toEqual({
      others: ["nodule"],
      mm: 4,
      solid: false,
      why: "x",
    });
    expect(withReturning(SCHEMA.questions, answers, "diagnosis", "no_signs")).toEqual({ diagnosis: "no_signs" });
  });

  it("that are hidden make no difference", () => {
    expect(isSame(SCHEMA.questions, { diagnosis: "covid19", mm: 4 }, { diagnosis: "covid19" })).toBe(true);
    expect(isSame(SCHEMA.questions, { others: ["nodule"], mm: 4 }, { others: ["nodule"] })).toBe(false);
  });

  it.each([
    ["4", 4],
    [" 4,5 ", 4.5],
    ["0", null],
    ["30", 30],
    ["31", null],
    ["4.55", null],
    ["", null],
    ["mm", null],
    ["1e1", 10],
  ])("take %j as %j", (text, value) => {
    expect(numberOf(SCHEMA.questions[3]!, text)).toBe(value);
  });
});
