/** Dates and times are those of the language that is spoken. */

import { readdirSync, readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { ENGLISH, speak } from "../src/ground/language";
import { whenWords } from "../src/viewer/work/history";

afterEach(() => speak(ENGLISH, {}));

test("a revision says its day in the language that is spoken", () => {
  const day = "2026-11-21T10:05:00",
    now = new Date("2026-11-29T10:00:00");
  expect(whenWords(day, now)).toBe("21 Nov 10:05");
  speak("de", {});
  expect(whenWords(day, now)).toMatch(/^21\. Nov\.? 10:05$/);
  speak("en-US", {});
  expect(whenWords(day, now)).toMatch(/^Nov 21 10:05/);
});

test("no file fixes the language of a date", () => {
  const source = new URL("../src/", import.meta.url);
  const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => /\.tsx?$/.test(name));
  const fixed = files.filter((name) => /toLocale\w+\(\s*"/.test(readFileSync(new URL(name, source), "utf8")));
  expect(fixed).toEqual([]);
});
