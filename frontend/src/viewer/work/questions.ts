/** Which questions are asked, as annotation/work/questions.py has it. */

import type { Question } from "../../ground/contract";

type Values = Readonly<Record<string, unknown>>;

/** The questions that these answers let be asked, in their order. An answer of a hidden question counts for nothing. */
export function shownQuestions(questions: readonly Question[], values: Values): Question[] {
  const counted: Record<string, unknown> = {};
  return questions.filter(({ key, shown_when: when }) => {
    const answer = when ? counted[when.question] : undefined;
    if (when && !(Array.isArray(answer) ? answer : [answer]).some((one) => when.in.includes(one as string | boolean)))
      return false;
    if (key in values) counted[key] = values[key];
    return true;
  });
}

/**
 * A change of one answer with those of the questions that it brings back: the server dropped them when they were
 * hidden.
 */
export function withReturning(questions: readonly Question[], values: Values, key: string, value: unknown): Values {
  const before = new Set(shownQuestions(questions, values));
  const next = { ...values, [key]: value };
  const back = shownQuestions(questions, next).filter((question) => !before.has(question) && question.key in values);
  return { ...Object.fromEntries(back.map((question) => [question.key, values[question.key]])), [key]: value };
}

/** Whether all that is asked has the same answer. */
export function isSame(questions: readonly Question[], one: Values, other: Values): boolean {
  const told = (values: Values): string =>
    JSON.stringify(shownQuestions(questions, values).map(({ key }) => [key, values[key] ?? null]));
  return told(one) === told(other);
}

/** A typed number as an answer; null where it is none that fits. */
export function numberOf(question: Question, text: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  if (!text.trim() || !Number.isFinite(value)) return null;
  if (value < (question.min ?? -Infinity) || value > (question.max ?? Infinity)) return null;
  return Math.abs(value - Number(value.toFixed(question.decimals))) < 1e-9 ? value : null;
}
