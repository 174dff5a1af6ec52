import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MaskServer } from "../src/editor/server";
import { call, checked, NOT_UNDERSTOOD, Problem, problemOf } from "../src/ground/api";
import { faultOf, readKept, type Shape } from "../src/ground/check";
import * as shapes from "../src/ground/shapes";

const { PARTS, ...READ } = shapes;

/** Values of a shape, and sometimes a field that no shape knows. */
function valueOf(shape: string): fc.Arbitrary<unknown> {
  const first = shape.charAt(0),
    rest = shape.slice(1);
  const fields = PARTS[shape] ?? shape;
  if (first === "?") return fc.option(valueOf(rest));
  if (first === "=") return fc.constantFrom(...rest.split("/"));
  if (first === "{") return fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), valueOf(rest), { maxKeys: 3 });
  if (first === "[") return fc.array(valueOf(rest), { maxLength: 3 });
  if (Number(first)) return fc.array(valueOf(rest), { minLength: Number(first), maxLength: Number(first) });
  if (fields.includes(":")) {
    const model = Object.fromEntries(fieldsOf(fields).map(({ name, shape: inner }) => [name, valueOf(inner)]));
    const requiredKeys = fieldsOf(fields).flatMap(({ name, isRequired }) => (isRequired ? [name] : []));
    return fc
      .tuple(fc.record(model, { requiredKeys }), fc.dictionary(fc.constant("later"), fc.anything()))
      .map(([known, more]) => ({ ...more, ...known }));
  }
  const kinds: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    s: fc.string(),
    i: fc.integer(),
    n: fc.double({ noNaN: true }),
    b: fc.boolean(),
    "*": fc.jsonValue(),
  };
  return fc.oneof(...Array.from(shape, (kind) => kinds[kind] ?? fc.constant(`no kind is called ${kind}`)));
}

function fieldsOf(text: string): { name: string; shape: string; isRequired: boolean }[] {
  return [...text.matchAll(/([\w? ]+):(\S+)/g)].flatMap(([, names = "", shape = ""]) =>
    names
      .trim()
      .split(" ")
      .map((name) => ({ name: name.replace("?", ""), shape, isRequired: !name.endsWith("?") })),
  );
}

/** The steps to everything inside a value that a shape says something of. */
function stepsIn(value: unknown, shape: string): string[][] {
  const first = shape.charAt(0),
    rest = shape.slice(1);
  const below = (name: string, inner: string): string[][] => [
    ...(inner === "*" ? [] : [[name]]),
    ...stepsIn((value as Record<string, unknown>)[name], inner).map((steps) => [name, ...steps]),
  ];
  if (value === null || value === undefined || first === "=") return [];
  if (first === "?") return stepsIn(value, rest);
  if (/[[{\d]/.test(first)) return Object.keys(value).flatMap((name) => below(name, rest));
  const fields = PARTS[shape] ?? "";
  return fieldsOf(fields).flatMap(({ name, shape: inner }) => (name in Object(value) ? below(name, inner) : []));
}

/** A copy of a value with something else at the end of the steps. */
function spoiled(value: unknown, [step, ...steps]: readonly string[]): unknown {
  // No shape but `*` has a function.
  if (step === undefined) return () => 0;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>;
  copy[step] = spoiled(copy[step], steps);
  return copy;
}

describe.each(Object.entries(READ))("the shape of %s", (_name, shape) => {
  it("takes every value that the contract allows, with more fields too", () => {
    fc.assert(
      fc.property(valueOf(shape), (value) => {
        expect(faultOf(value, shape, "it", PARTS)).toBe("");
      }),
      { numRuns: 50 },
    );
  });

  it("refuses one in which one thing is of another kind, and says where", () => {
    fc.assert(
      fc.property(valueOf(shape), fc.nat(), (value, n) => {
        const all = stepsIn(value, shape);
        fc.pre(all.length > 0);
        const steps = all.at(n % all.length) ?? [];
        expect(faultOf(spoiled(value, steps), shape, "it", PARTS)).toBe(`it/${steps.join("/")}`);
      }),
      { numRuns: 100 },
    );
  });

  it("refuses one without a field that has to be there, and says which", () => {
    const required = fieldsOf(PARTS[shape] ?? "").filter(({ isRequired, shape: inner }) => isRequired && inner !== "*");
    expect(required).not.toEqual([]);
    fc.assert(
      fc.property(valueOf(shape), fc.constantFrom(...required), (value, { name }) => {
        const { [name]: _gone, ...left } = value as Record<string, unknown>;
        expect(faultOf(left, shape, "it", PARTS)).toBe(`it/${name}`);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a shape", () => {
  const shape = "id name:s round:i share:n is_read?:b in:[sb ijk:?3i state:=open/ counts:{i free:* other:?Other";
  const parts = { Other: "id:s" };
  const good = {
    id: "a",
    name: "",
    round: 1,
    share: 0.5,
    in: ["x", true],
    ijk: [1, 2, 3],
    state: "",
    counts: { "1": 2 },
    free: null,
    other: { id: "b" },
  };
  it.each([
    ["", {}],
    ["", { ijk: null, other: null, is_read: true, unknown: 1 }],
    ["it/name", { name: null }],
    ["it/round", { round: 1.5 }],
    ["it/round", { round: "1" }],
    ["it/share", { share: "0.5" }],
    ["it/is_read", { is_read: null }],
    ["it/in/1", { in: ["x", 1] }],
    ["it/in", { in: { "0": "x" } }],
    ["it/ijk", { ijk: [1, 2] }],
    ["it/ijk/2", { ijk: [1, 2, null] }],
    ["it/state", { state: "closed" }],
    ["it/counts/1", { counts: { "1": "2" } }],
    ["it/counts", { counts: [1] }],
    ["it/free", { free: undefined }],
    ["it/other", { other: [] }],
    ["it/other/id", { other: {} }],
  ])("finds %j in what differs by %j", (where, part) => {
    expect(faultOf({ ...good, ...part }, shape, "it", parts)).toBe(where);
  });

  it.each([[null], [undefined], ["{}"], [[]], [3]])("of fields is none of %j", (value) => {
    expect(faultOf(value, shape, "it", parts)).toBe("it");
  });

  it("is what kept text must have to be read", () => {
    const kept: Shape<{ readonly id: string }> = "id:s";
    expect(readKept('{"id": "a"}', kept)).toEqual({ id: "a" });
    for (const text of [null, undefined, "", "{", '{"id": 1}', "null"]) expect(readKept(text, kept)).toBeNull();
  });
});

describe("an answer", () => {
  afterEach(() => vi.unstubAllGlobals());
  const answering = (body: string, status = 200): void => {
    vi.stubGlobal("document", { querySelector: () => null });
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));
  };

  it("that is not understood is one clear error that names the place", () => {
    const found = (): unknown => checked({ values: { a: true, b: "no" } }, shapes.Checks, "/checks");
    expect(found).toThrow(Problem);
    expect(found).toThrow(/does not understand \(\/checks\/values\/b\)\. Reload the page/);
    expect(checked({ values: {} }, shapes.Checks, "/checks")).toEqual({ values: {} });
  });

  it.each([['{"values": {"a": 1}}'], ["<!doctype html>"], [""]])(
    "%j of a call is refused as not understood",
    async (body) => {
      answering(body);
      const asked = call("PATCH", "/api/v1/reviews/1/checks", {}, shapes.Checks);
      // Of 500 and above: nothing that was to be sent is taken for refused.
      await expect(asked).rejects.toMatchObject({ code: NOT_UNDERSTOOD, status: 502, signedOut: false });
    },
  );

  it("that nobody reads may be anything", async () => {
    answering("<!doctype html>");
    await expect(call("POST", "/api/v1/assignments/1/beat", { active_seconds: 1 })).resolves.toBeUndefined();
  });

  it("of a refusal is a problem, whatever a proxy makes of it", async () => {
    const told = await problemOf(new Response('{"code": "interlocks", "detail": "Not yet."}', { status: 409 }));
    expect([told.code, told.message]).toEqual(["interlocks", "Not yet."]);
    for (const body of ["<html>", "[]", "null", '{"code": 3, "detail": null}']) {
      const plain = await problemOf(new Response(body, { status: 413 }));
      expect([plain.status, plain.code, plain.message]).toEqual([413, "failed", "The server answered 413."]);
    }
  });
});

describe("a save", () => {
  const savedWith = (body: string, headers: Record<string, string>) =>
    new MaskServer("/mask", {}, () => Promise.resolve(new Response(body, { status: 201, headers }))).save(
      new Uint8Array(1),
      "empty",
      "key",
    );

  it("is taken for saved when the server names its revision, in the header or in the body", async () => {
    expect(await savedWith("{}", { ETag: '"r1"' })).toEqual({ kind: "ok", value: "r1" });
    expect(await savedWith('{"revision": "r2"}', {})).toEqual({ kind: "ok", value: "r2" });
  });

  it("is sent again when the server names none", async () => {
    for (const body of ["{}", '{"revision": 3}', "[]"])
      expect(await savedWith(body, {})).toEqual({ kind: "unreachable", reason: "not_understood", notBeforeMs: 0 });
  });
});
