/**
 * Holds a value to a shape. Shapes of answers are made of the contract (`shapes.ts`), those of what this browser keeps
 * stand beside their types. One is written so:
 *
 * `s` text, `n` number, `i` whole number, `b` yes or no, `sb` text or yes or no, `*` anything · `?…` null or … ·
 * `=a/b` one of these texts · `[…` a list of … · `3…` three of … · `{…` … by name · `A`, `Aa` a part ·
 * `id name:s at?:n` fields of an object: names, and after the colon what they hold. One that ends in `?` may be
 * missing.
 *
 * Fields that a shape does not name are allowed: a newer server says more.
 */

/** The shape of a `T`, as text. */
export type Shape<T> = string & { readonly of?: T };

/** Shapes by the names that other shapes call them. */
type Parts = Readonly<Record<string, string>>;

export const listOf = <T>(shape: Shape<T>): Shape<readonly T[]> => `[${shape}`;

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  s: (value) => typeof value === "string",
  n: (value) => typeof value === "number",
  i: Number.isInteger,
  b: (value) => typeof value === "boolean",
  "*": (value) => value !== undefined,
};

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether it is the kind of box that a shape begins with: by name, a list, or so many. */
const isBox = (value: unknown, first: string): value is object =>
  first === "{" ? isTable(value) : Array.isArray(value) && (first === "[" || value.length === Number(first));

/** Where in a value something is missing or of another kind, below `at`; empty where it fits. */
export function faultOf(value: unknown, shape: string, at: string, parts: Parts = {}): string {
  const first = shape.charAt(0);
  const rest = shape.slice(1);
  if (first === "?") return value === null ? "" : faultOf(value, rest, at, parts);
  if (first === "=") return rest.split("/").some((text) => text === value) ? "" : at;
  if (/[[{1-9]/.test(first)) return isBox(value, first) ? faultInside(value, rest, at, parts) : at;
  const fields = parts[shape] ?? shape;
  if (fields.includes(":")) return isTable(value) ? faultOfFields(value, fields, at, parts) : at;
  return Array.from(shape).some((kind) => KINDS[kind]?.(value)) ? "" : at;
}

function faultInside(values: object, shape: string, at: string, parts: Parts): string {
  for (const [name, value] of Object.entries(values)) {
    const fault = faultOf(value, shape, `${at}/${name}`, parts);
    if (fault) return fault;
  }
  return "";
}

function faultOfFields(value: Readonly<Record<string, unknown>>, fields: string, at: string, parts: Parts): string {
  let names: string[] = [];
  for (const word of fields.split(" ")) {
    const [name = "", shape] = word.split(":");
    names.push(name);
    if (!shape) continue;
    for (const one of names) {
      const field = one.replace("?", "");
      const fault =
        value[field] === undefined && field !== one ? "" : faultOf(value[field], shape, `${at}/${field}`, parts);
      if (fault) return fault;
    }
    names = [];
  }
  return "";
}

export const fits = <T>(value: unknown, shape: Shape<T>, parts?: Parts): value is T =>
  !faultOf(value, shape, "it", parts);

/** What this browser or the page holds as JSON; null where there is none, or none of this shape. */
export function readKept<T>(text: string | null | undefined, shape: Shape<T>, parts?: Parts): T | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return fits(value, shape, parts) ? value : null;
  } catch {
    return null;
  }
}
