/** Days of the calendar, as numbers: what DICOM writes as YYYYMMDD. */

export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const LEAST_YEAR = 1;
const MOST_YEAR = 9999;
const DAY_MS = 86_400_000;

function at(year: number, month: number, day: number): Date {
  const found = new Date(0);
  found.setUTCFullYear(year, month - 1, day);
  return found;
}

/** A day of DA, of the old form with dots, or the day of a DT; null for anything else. */
export function readDay(words: string): Day | null {
  const plain = /^\d{4}\.\d{2}\.\d{2}$/.test(words) ? words.replaceAll(".", "") : words;
  if (!/^\d{8}/.test(plain)) return null;
  const [year, month, day] = [plain.slice(0, 4), plain.slice(4, 6), plain.slice(6, 8)].map(Number) as [
    number,
    number,
    number,
  ];
  if (year < LEAST_YEAR) return null;
  const found = at(year, month, day);
  return found.getUTCMonth() === month - 1 && found.getUTCDate() === day ? { year, month, day } : null;
}

/** The day so many days later, as it is written; null where the calendar ends. */
export function move({ year, month, day }: Day, days: number): string | null {
  const moved = new Date(at(year, month, day).getTime() + days * DAY_MS);
  const to = moved.getUTCFullYear();
  if (to < LEAST_YEAR || to > MOST_YEAR) return null;
  const two = (number: number) => String(number).padStart(2, "0");
  return String(to).padStart(4, "0") + two(moved.getUTCMonth() + 1) + two(moved.getUTCDate());
}

/** Whole years between two days; null where they cannot be an age. */
export function yearsBetween(born: Day, then: Day): number | null {
  const years = then.year - born.year;
  if (years < 0 || years >= 130) return null;
  const isBefore = then.month < born.month || (then.month === born.month && then.day < born.day);
  return Math.max(0, years - (isBefore ? 1 : 0));
}
