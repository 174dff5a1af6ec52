import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { allCommands } from "../../src/viewer/commands";
import {
  currentKey,
  keyNames,
  keysOf,
  noteReplaced,
  rebound,
  restored,
  whyTaken,
  withKey,
} from "../../src/ground/shortcuts";
import { search } from "../../src/viewer/commands/search";
import { change, settings } from "../../src/ground/settings";
import { DESK } from "./desk";

const COMMANDS = allCommands(DESK);

interface Press {
  key: string;
  code: string;
  shift?: boolean;
  ctrl?: boolean;
  alt?: boolean;
  altGraph?: boolean;
}
const press = ({ key, code, shift = false, ctrl = false, alt = false, altGraph = false }: Press) =>
  keyNames({
    key,
    code,
    shiftKey: shift,
    ctrlKey: ctrl,
    altKey: alt,
    metaKey: false,
    getModifierState: (name) => name === "AltGraph" && altGraph,
  });

describe("commands", () => {
  it("have an id and keys of their own", () => {
    const ids = COMMANDS.map(({ id }) => id),
      keys = COMMANDS.flatMap((c) => c.keys);
    expect(ids.filter((id, n) => ids.indexOf(id) !== n)).toEqual([]);
    expect(keys.filter((key, n) => keys.indexOf(key) !== n)).toEqual([]);
  });

  it("ask for no key that the browser keeps", () => {
    expect(COMMANDS.flatMap((c) => c.keys).filter((key) => whyTaken(key))).toEqual([]);
  });
});

describe("keys that panels name", () => {
  const folder = new URL("../../src/viewer/", import.meta.url);
  const sources = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => [name, readFileSync(new URL(name, folder), "utf8")] as const);

  it("are own keys of a command, so that they follow when a person sets another", () => {
    const own = new Set(COMMANDS.flatMap((c) => c.keys));
    const named = sources.flatMap(([name, source]) =>
      [...source.matchAll(/\bkeys="([^"]+)"|\bwithKey\((?:[^"]|"[^"]{4,}")*?((?:, "[^"]+")+)\)/g)]
        .flatMap(([, one, several]) =>
          one ? [one] : [...(several ?? "").matchAll(/"([^"]+)"/g)].map(([, key]) => key),
        )
        .map((key) => `${name}: ${key}`),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((entry) => !own.has(entry.replace(/^.*: /, "")))).toEqual([]);
  });

  it("are not written into texts", () => {
    const texts = Object.keys(
      JSON.parse(readFileSync(new URL("../../languages/en.json", import.meta.url), "utf8")) as object,
    );
    // What the mouse does beside, and Escape, have no command.
    expect(texts.filter((text) => /\((?:Shift|Ctrl|Alt|[A-Z?])[ )]|\b(?:Shift|Ctrl|Alt) [A-Z0-9]/.test(text))).toEqual([
      "A press marks what does not belong to it (Alt or Ctrl + press)",
    ]);
  });

  it("are shown as they are now", () => {
    change({ keys: rebound(COMMANDS, "slab", "Alt+V", false) });
    noteReplaced(COMMANDS);
    expect(withKey("Slabs", "Shift+S", "Shift+PageUp")).toBe("Slabs (Alt V, Shift PgUp)");
    change({ keys: { slab: [] } });
    noteReplaced(COMMANDS);
    expect(withKey("Slabs", "Shift+S")).toBe("Slabs");
    change({ keys: {} });
    noteReplaced(COMMANDS);
  });
});

describe("the name of a press", () => {
  it.each([
    ["a letter", { key: "g", code: "KeyG" }, "G"],
    ["Shift and a letter", { key: "M", code: "KeyM", shift: true }, "Shift+M"],
    ["Ctrl and a letter", { key: "z", code: "KeyZ", ctrl: true }, "Ctrl+Z"],
    ["an arrow", { key: "ArrowUp", code: "ArrowUp", alt: true }, "Alt+ArrowUp"],
    ["the letter on a French key, not its place", { key: "a", code: "KeyQ" }, "A"],
    ["the letter on a German key, not its place", { key: "z", code: "KeyY", ctrl: true }, "Ctrl+Z"],
    ["a French digit by place", { key: "&", code: "Digit1" }, "1"],
    ["Shift and a French digit by place", { key: "1", code: "Digit1", shift: true }, "Shift+1"],
    [
      "a German bracket, which Windows makes of Ctrl + Alt",
      { key: "[", code: "Digit8", ctrl: true, alt: true, altGraph: true },
      "[",
    ],
    ["Cyrillic by place", { key: "п", code: "KeyG" }, "G"],
    ["Cyrillic with Ctrl", { key: "я", code: "KeyZ", ctrl: true }, "Ctrl+Z"],
    ["Cyrillic with Shift", { key: "Ь", code: "KeyM", shift: true }, "Shift+M"],
    ["Greek by place", { key: "φ", code: "KeyF" }, "F"],
    ["an umlaut by place", { key: "ü", code: "BracketLeft" }, "["],
    ["a dead accent by place", { key: "Dead", code: "BracketLeft" }, "["],
    ["a question mark wherever it is", { key: "?", code: "Minus", shift: true }, "?"],
  ])("is that of %s", (_, event, name) => expect(press(event)[0]).toBe(name));

  it("is the sign too where a German digit key makes one", () => {
    expect(press({ key: "/", code: "Digit7", shift: true })).toEqual(["Shift+7", "/"]);
  });
});

describe("keys that a person sets", () => {
  beforeEach(() => change({ keys: {} }));
  const keyOf = (id: string) => [...keysOf(COMMANDS.find((c) => c.id === id)!)];

  it("replace those of the viewer, and hints follow", () => {
    change({ keys: rebound(COMMANDS, "undo", "Ctrl+U", false) });
    noteReplaced(COMMANDS);
    expect([keyOf("undo"), currentKey("Ctrl+Z"), currentKey("H")]).toEqual([["Ctrl+U"], "Ctrl+U", "H"]);
  });

  it("are swapped with those of another command, or taken from it", () => {
    change({ keys: rebound(COMMANDS, "tool-grow", "H", true) });
    expect([keyOf("tool-grow"), keyOf("mask")]).toEqual([["H"], ["G"]]);
    change({ keys: {} });
    change({ keys: rebound(COMMANDS, "tool-grow", "H", false) });
    expect([keyOf("tool-grow"), keyOf("mask")]).toEqual([["H"], []]);
  });

  it("never belong to two commands, and nothing stays written that is as it came", () => {
    change({ keys: rebound(COMMANDS, "tool-grow", "H", true) });
    change({ keys: rebound(COMMANDS, "tool-grow", "G", true) });
    expect(settings.value.keys).toEqual({});
  });

  it("go back one by one, from whoever has them", () => {
    change({ keys: rebound(COMMANDS, "tool-grow", "H", true) });
    change({ keys: restored(COMMANDS, "mask") });
    expect([keyOf("mask"), keyOf("tool-grow")]).toEqual([["H"], []]);
  });

  it.each(["Ctrl+W", "Ctrl+T", "F5", "Tab", "Escape", " ", "Ctrl+Shift+I", "Alt+ArrowLeft", "Ctrl+="])(
    "are refused with words for %s",
    (key) => expect(whyTaken(key)).toMatch(/\w+ \w+/),
  );
});

describe("the palette", () => {
  const titles = (typed: string, recent: string[] = []) => search(COMMANDS, typed, recent).map((c) => c.id);

  it("finds by parts of words in any order", () => {
    expect(titles("brush larg")[0]).toBe("larger");
  });
  it.each([
    ["rubber", "tool-erase"],
    ["shortcuts", "keys"],
    ["contrast", "tool-window"],
    ["prediction", "prediction"],
    ["ruler", "tool-measure"],
    ["bigger", "larger"],
  ])("finds %s by another word for it", (typed, id) => expect(titles(typed)).toContain(id));
  it("shows what was used last first", () => {
    expect(titles("", ["reset", "keys"]).slice(0, 2)).toEqual(["reset", "keys"]);
  });
  it("puts a better fit before a recent one", () => {
    expect(titles("undo", ["redo"])[0]).toBe("undo");
  });
  it("finds nothing where nothing fits", () => {
    expect(titles("xyzzy")).toEqual([]);
  });
});
