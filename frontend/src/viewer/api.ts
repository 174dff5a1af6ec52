/** Calls to the server. Refusals arrive as RFC 9457 problem documents and are thrown as `Problem`. */

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

/** Not now: everything that waits without a network waits for this, too (it is the kind of error that fetch itself throws). */
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

/** One JSON call. Throws `Problem` for a refusal and `TypeError` when the network or the server (`Away`) is gone. */
export async function call<T>(
  method: "DELETE" | "GET" | "POST" | "PUT" | "PATCH",
  url: string,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: {
      Accept: "application/json",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...csrfHeaders(),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  let document: Record<string, unknown> = {};
  try {
    document = text ? (JSON.parse(text) as Record<string, unknown>) : {};
  } catch {
    /* an error page of a proxy: the status tells enough */
  }
  if (answer.ok) return document as T;
  const away = awayOf(answer, document["code"] as string | undefined);
  if (away) throw away;
  throw new Problem(
    answer.status,
    String(document["code"] ?? "failed"),
    String(document["detail"] ?? `The server answered ${answer.status}.`),
    document,
  );
}

/** Bytes of an immutable part. Throws `Problem`, and `TypeError` when the network or the server (`Away`) is gone. */
export async function fetchBytes(url: string, init: RequestInit = {}): Promise<Uint8Array> {
  const answer = await fetch(url, init);
  const away = awayOf(answer);
  if (away) throw away;
  if (!answer.ok) {
    const document = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    throw new Problem(
      answer.status,
      String(document["code"] ?? "failed"),
      String(document["detail"] ?? `The server answered ${answer.status}.`),
      document,
    );
  }
  return new Uint8Array(await answer.arrayBuffer());
}
