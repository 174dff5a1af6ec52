/** The floors of the front end: who may import whom (types too), no cycle, and owners who alone write their fields. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const SOURCE = new URL("../src/", import.meta.url).pathname;

/** From the lowest: a file imports from its own floor and from those before it. docs/adr has the reasons. */
const FLOORS = [
  "ground",
  "deidentify",
  "editor",
  "load",
  "offline",
  "pages",
  "viewer/geometry",
  "viewer/controls",
  "viewer/scan",
  "viewer/surface",
  "viewer/stage",
  "viewer/image",
  "viewer/tools",
  "viewer/panes",
  "viewer/work",
  "viewer/desk",
  "viewer/commands",
  "viewer/panels",
  "viewer",
];

const files = new Map(
  (readdirSync(SOURCE, { recursive: true }) as string[])
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts") && !name.startsWith("build/"))
    .map((name) => [name, readFileSync(join(SOURCE, name), "utf8")]),
);

/** Comments name files, too. */
const bare = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

function resolve(from: string, specifier: string): string | null {
  const path = normalize(join(dirname(from), specifier.replace(/\?.*$/, "")));
  return [path, `${path}.ts`, `${path}.tsx`, join(path, "index.ts")].find((name) => files.has(name)) ?? null;
}

/** Everything that a file imports of ours: values, types, scripts of workers, what is fetched later. */
function importsOf(name: string, text: string): string[] {
  const found = bare(text).matchAll(/(?:\bfrom|\bimport|\bimport\(|new URL\()\s*"(\.[^"]+)"/g);
  return [...found].map(([, specifier = ""]) => resolve(name, specifier)).filter((path) => path !== null);
}

const graph = new Map([...files].map(([name, text]) => [name, importsOf(name, text)]));

const floorOf = (name: string): string => {
  const [first = "", second, third] = name.split("/");
  return first === "viewer" && third !== undefined ? `viewer/${second}` : first;
};

/** One file of a cycle after the other; empty when there is none. */
function cycle(): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] => {
    if (path.includes(name)) return path.slice(path.indexOf(name));
    if (done.has(name)) return [];
    path.push(name);
    for (const next of graph.get(name) ?? []) {
      const found = visit(next);
      if (found.length) return found;
    }
    path.pop();
    done.add(name);
    return [];
  };
  for (const name of graph.keys()) {
    const found = visit(name);
    if (found.length) return found;
  }
  return [];
}

/** Names of fields of classes that anybody may write: neither `readonly` nor private. */
function openFields(text: string): string[] {
  const fields: string[] = [];
  let inClass = false;
  for (const line of text.split("\n")) {
    if (/^(export )?(abstract )?class /.test(line)) inClass = true;
    else if (/^\S/.test(line)) inClass = false;
    const field = /^ {2}([a-z]\w*)[!?]?(?:: [^=(]*)?(?: = .*)?;$/.exec(line)?.[1];
    const signal = /^ {2}readonly ([a-z]\w*)(?:: Signal<.*>)? = signal\b/.exec(line)?.[1];
    if (inClass && (field ?? signal)) fields.push(field ?? signal ?? "");
  }
  return fields;
}

describe("floors", () => {
  it("hold every file", () => {
    expect([...files.keys()].filter((name) => !FLOORS.includes(floorOf(name)))).toEqual([]);
    expect(graph.get("viewer/main.ts")).toContain("viewer/app.tsx");
    expect(graph.get("editor/client.ts")).toContain("editor/editor.worker.ts");
  });

  it("are gone through downhill only, types included", () => {
    const height = (name: string) => FLOORS.indexOf(floorOf(name));
    const uphill = [...graph].flatMap(([name, imports]) =>
      imports.filter((other) => height(other) > height(name)).map((other) => `${name} → ${other}`),
    );
    expect(uphill).toEqual([]);
  });

  it("have no cycle", () => {
    expect(cycle()).toEqual([]);
  });
});

describe("objects", () => {
  it("of the viewer are written by their own methods only", () => {
    const open = [...files]
      .filter(([name]) => name.startsWith("viewer/"))
      .flatMap(([name, text]) => openFields(text).map((field) => `${name}: ${field}`));
    expect(open).toEqual([]);
  });

  it("are told apart by the check above", () => {
    const text =
      "export class One {\n  two = 3;\n  readonly four = signal(5);\n  readonly six = 7;\n  #eight = 9;\n}\n";
    expect(openFields(text)).toEqual(["two", "four"]);
  });
});

/** Claims `!` that a value is there, other than of an element of an array (`hu[at]!`). */
const boldClaims = (text: string): string[] =>
  bare(text)
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .match(/[\w)]!(?=[.,;)\]}[ ](?!=)|$)/gm) ?? [];

describe("claims that something is there", () => {
  it("are made of elements of arrays only, where a loop keeps within the bounds", () => {
    expect([...files].filter(([, text]) => boldClaims(text).length).map(([name]) => name)).toEqual([]);
  });

  it("are told apart by the check above", () => {
    const text = 'const a = b[c]! + b[c]![d]!;\nif (e !== f || !g) h("no!");\ni!.j(k(l)!);\nm = n!;\n';
    expect(boldClaims(text)).toEqual(["i!", ")!", "n!"]);
  });
});

describe("the page", () => {
  it("is searched for elements by their id only where it begins", () => {
    const wrong = [...files]
      .filter(([name, text]) => name.startsWith("viewer/") && bare(text).includes("getElementById"))
      .map(([name]) => name);
    expect(wrong).toEqual(["viewer/early.ts", "viewer/main.ts"]);
  });
});

describe("lines", () => {
  it("have at most 120 signs", () => {
    const long = [...files].flatMap(([name, text]) =>
      text.split("\n").flatMap((line, n) => (line.length > 120 ? [`${name}:${n + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });
});

describe("the sheets of the pages", () => {
  it("give a class of its own one rule: a second page that takes the name would change the first", () => {
    const sheets = ["pages", "upload"].map((name) => readFileSync(join(SOURCE, `../styles/${name}.css`), "utf8"));
    const names = sheets.flatMap((sheet) => [...sheet.matchAll(/^(\.[a-z0-9-]+) \{/gm)].map(([, name]) => name));
    expect(names.length).toBeGreaterThan(70);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
  });
});
