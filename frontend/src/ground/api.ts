/**
 * Calls to the server. Refusals arrive as RFC 9457 problem documents and are thrown as `Problem`. Every answer that is
 * read is held to its shape here.
 */

import { faultOf, isTable, type Shape } from "./check";
import { t } from "./language";
import { PARTS } from "./shapes";

type Method = "DELETE" | "GET" | "POST" | "PUT" | "PATCH";

const META = 'meta[name="csrf-token"]';

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly body: Readonly<Record<string, unknown>>,
  ) {
    super(detail);
  }

  /** The session has ended, or its token is of before the last log-in. */
  get signedOut(): boolean {
    return (
      this.status === 401 ||
      this.code === "not_authenticated" ||
      this.code === "csrf_failed" ||
      this.message.startsWith("CSRF")
    );
  }
}

/** What passes by itself: the server, its database or a proxy is away, too much is asked, or the disk is full. */
const PASSING: readonly number[] = [408, 429, 502, 503, 504, 507];

/**
 * Not now: everything that waits without a network waits for this, too (it is the kind of error that fetch itself
 * throws).
 */
export class Away extends TypeError {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly againAfterMs: number,
  ) {
    super(`The server answered ${status}.`);
  }
}

/** The error for an answer that passes by itself; null for every other. A name that is locked stays locked. */
export function awayOf(
  answer: Response,
  code = answer.headers.get("Voxloop-Code") ?? `http_${answer.status}`,
): Away | null {
  return PASSING.includes(answer.status) && code !== "locked_out"
    ? new Away(answer.status, code, againAfter(answer))
    : null;
}

/** Milliseconds that `Retry-After` asks for; 0 without one. */
export function againAfter(answer: Response): number {
  const seconds = Number(answer.headers.get("Retry-After"));
  return seconds > 0 ? Math.min(seconds, 300) * 1000 : 0;
}

export function csrfHeaders(): Record<string, string> {
  return { "X-CSRFToken": document.querySelector<HTMLMetaElement>(META)?.content ?? "" };
}

/** After a new log-in: the token that goes with it. */
export function useToken(token: string): void {
  const own = document.querySelector<HTMLMetaElement>(META);
  if (own) own.content = token;
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);

/** The code of an answer that is none of those that are documented: the server and the page differ. */
export const NOT_UNDERSTOOD = "not_understood";

/**
 * What came from the server, if it has its shape; `at` names it. Throws `Problem` else, with the status that a proxy
 * gives for an answer it cannot read: it is shown, and what was to be sent stays here.
 */
export function checked<T>(value: unknown, shape: Shape<T>, at: string): T {
  const where = faultOf(value, shape, at, PARTS);
  if (!where) return value as T;
  const words = t(
    "The server answered something that this page does not understand ({where}). Reload the page; " +
      "if it stays, the server and the page are of different versions.",
    { where },
  );
  throw new Problem(502, NOT_UNDERSTOOD, words, { where });
}

/** JSON as a value; undefined where it is none, which has no shape. */
export function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A refusal. A proxy answers with a page of its own: then the status tells enough. Throws `TypeError` when the network
 * goes before it has come.
 */
export async function problemOf(answer: Response): Promise<Problem> {
  const told = valueOf(await answer.text());
  const body = isTable(told) ? told : {};
  const detail = textOr(body["detail"], `The server answered ${answer.status}.`);
  return new Problem(answer.status, textOr(body["code"], "failed"), detail, body);
}

/**
 * One JSON call; answers what is of `shape`. Without one the answer is not read. Throws `Problem` for a refusal, or an
 * answer of another shape, and `TypeError` when the network or the server (`Away`) is gone.
 */
export async function call(method: Method, url: string, body?: unknown): Promise<unknown>;
export async function call<T>(method: Method, url: string, body: unknown, shape: Shape<T>): Promise<T>;
export async function call(method: Method, url: string, body?: unknown, shape?: Shape<unknown>): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    headers: {
      Accept: "application/json",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...csrfHeaders(),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.ok) {
    const text = await answer.text();
    return shape === undefined ? undefined : checked(valueOf(text), shape, url);
  }
  const problem = await problemOf(answer);
  throw awayOf(answer, "code" in problem.body ? problem.code : undefined) ?? problem;
}

/** Bytes of an immutable part. Throws `Problem`, and `TypeError` when the network or the server (`Away`) is gone. */
export async function fetchBytes(url: string, init: RequestInit = {}): Promise<Uint8Array> {
  const answer = await fetch(url, init);
  const away = awayOf(answer);
  if (away) throw away;
  if (!answer.ok) throw await problemOf(answer);
  return new Uint8Array(await answer.arrayBuffer());
}
