import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { ENGLISH, PSEUDO, speak, t, tn, type Forms, type Language } from "../../src/ground/language";
import { allCommands } from "../../src/viewer/commands";
import { presetsOf } from "../../src/viewer/geometry/window";
import { TOOLS } from "../../src/viewer/tools";
import { fixed, ml, thin } from "../../src/ground/words";
import { DESK } from "./desk";

const SOURCE = new URL("../../src/", import.meta.url),
  FOLDER = new URL("../../languages/", import.meta.url),
  ENGLISH_FILE = new URL("en.json", FOLDER);
/** A plain string, or a long one in parts that stand joined by `+`. */
const PART = String.raw`"(?:[^"\\]|\\.)*"`;
const STRING = String.raw`(${PART}(?:\s*\+\s*${PART})*)`;
const textOf = (source: string) =>
  [...source.matchAll(new RegExp(PART, "g"))].map(([part]) => JSON.parse(part) as string).join("");

const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter(
  (name) => /^(ground|load|viewer)\/.*\.tsx?$/.test(name) && name !== "ground/language.ts",
);
const sources = new Map(
  files.map((name) => [name, readFileSync(new URL(name, SOURCE), "utf8").replaceAll(/^\s*(\/\/|\/?\*).*$/gm, "")]),
);

const presets = ["CT", "DX"].flatMap((modality) => presetsOf({ modality, hu_range: [0, 1] }));

/**
 * Every text of the viewer: what stands in `t("…")`, `tn(n, "…", "…")` and `msg("…")`, and the words of tools, windows
 * and commands.
 */
function collect(): Language {
  const texts = new Map<string, string | Forms>();
  const add = (text: string) => texts.set(text, text);
  for (const { title, words } of TOOLS) [title, words].forEach(add);
  for (const { name } of presets) add(name);
  for (const { title, group } of allCommands(DESK)) [title, group].forEach(add);
  for (const source of sources.values()) {
    for (const [, text = ""] of source.matchAll(new RegExp(String.raw`\b(?:t|msg)\(\s*${STRING}`, "g")))
      add(textOf(text));
    for (const [, one = "", other = ""] of source.matchAll(
      new RegExp(String.raw`\btn\([^"]*${STRING},\s*${STRING}`, "g"),
    )) {
      texts.set(textOf(other), { one: textOf(one), other: textOf(other) });
    }
  }
  return Object.fromEntries([...texts].sort(([x], [y]) => (x < y ? -1 : 1)));
}

const formsOf = (entry: string | Forms): string[] => (typeof entry === "string" ? [entry] : Object.values(entry));
const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name);

describe("texts", () => {
  it("are collected in languages/en.json (npm run texts)", () => {
    const texts = collect();
    if (process.env["UPDATE_TEXTS"]) writeFileSync(ENGLISH_FILE, `${JSON.stringify(texts, null, 2)}\n`);
    expect(JSON.parse(readFileSync(ENGLISH_FILE, "utf8"))).toEqual(texts);
  });

  it("are never put together before they are looked up", () => {
    const wrong = [...sources].flatMap(([name, source]) =>
      [...source.matchAll(/\b(?:t|tn|msg)\(\s*`[^`]*`/g)].map(([call]) => `${name}: ${call}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(readdirSync(FOLDER).filter((name) => name !== "en.json"))(
    "of %s translate what there is, with values that there are",
    (name) => {
      const english = JSON.parse(readFileSync(ENGLISH_FILE, "utf8")) as Language;
      const translated = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Language;
      for (const [text, entry] of Object.entries(translated)) {
        expect(english).toHaveProperty([text]);
        const allowed = formsOf(english[text]!).flatMap(placeholders);
        for (const form of formsOf(entry)) for (const name of placeholders(form)) expect(allowed).toContain(name);
      }
    },
  );
});

describe("a language", () => {
  afterEach(() => speak(ENGLISH, {}));

  it("says what it has, and English where it lacks a text", () => {
    speak("de", { "Scan {n} of {size}": "Scan {n} von {size}" });
    expect([t("Scan {n} of {size}", { n: 3, size: 50 }), t("Undo")]).toEqual(["Scan 3 von 50", "Undo"]);
  });

  it("has its own plurals", () => {
    speak("pl", {
      "{n} strokes": {
        one: "{n} pociągnięcie",
        few: "{n} pociągnięcia",
        many: "{n} pociągnięć",
        other: "{n} pociągnięcia",
      },
    });
    expect([1, 3, 5, 22].map((n) => tn(n, "{n} stroke", "{n} strokes"))).toEqual([
      "1 pociągnięcie",
      "3 pociągnięcia",
      "5 pociągnięć",
      "22 pociągnięcia",
    ]);
    speak(ENGLISH, {});
    expect([1, 3].map((n) => tn(n, "{n} stroke", "{n} strokes"))).toEqual(["1 stroke", "3 strokes"]);
  });

  it("writes numbers its own way; English has thin spaces and a true minus", () => {
    expect([thin(-12345), ml(0.034), ml(6.41), fixed(-2.5, 1)]).toEqual(["−12\u2009345", "0.03", "6.4", "−2.5"]);
    speak("de", {});
    expect([thin(-12345), ml(6.41)]).toEqual(["−12.345", "6,4"]);
  });

  it("can be one in which every text stands in brackets", () => {
    speak(PSEUDO, {});
    expect([t("Undo"), tn(2, "{n} stroke", "{n} strokes")]).toEqual(["⟦Undo⟧", "⟦2 strokes⟧"]);
  });
});
