/** Calls to the server. Refusals arrive as RFC 9457 problem documents and are thrown as `Problem`. */

const META = 'meta[name="csrf-token"]';

export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, detail: string, readonly body: Readonly<Record<string, unknown>>) {
    super(detail);
  }

  /** The session has ended, or its token is of before the last log-in. */
  get signedOut(): boolean { return this.status === 401 || this.code === "not_authenticated" || this.code === "csrf_failed" || this.message.startsWith("CSRF"); }
}

export function csrfHeaders(): Record<string, string> {
  return { "X-CSRFToken": document.querySelector<HTMLMetaElement>(META)?.content ?? "" };
}

/** After a new log-in: the token that goes with it. */
export function useToken(token: string): void {
  const own = document.querySelector<HTMLMetaElement>(META);
  if (own) own.content = token;
}

/** One JSON call. Throws `Problem` for a refusal and `TypeError` (of fetch) when the network is gone. */
export async function call<T>(method: "DELETE" | "GET" | "POST" | "PUT" | "PATCH", url: string, body?: unknown): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...csrfHeaders() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  let document: Record<string, unknown> = {};
  try { document = text ? JSON.parse(text) as Record<string, unknown> : {}; } catch { /* an error page of a proxy: the status tells enough */ }
  if (answer.ok) return document as T;
  throw new Problem(
    answer.status, String(document["code"] ?? "failed"),
    String(document["detail"] ?? `The server answered ${answer.status}.`), document,
  );
}

/** Bytes of an immutable part. Throws `Problem`. */
export async function fetchBytes(url: string, init: RequestInit = {}): Promise<Uint8Array> {
  const answer = await fetch(url, init);
  if (!answer.ok) {
    const document = await answer.json().catch(() => ({})) as Record<string, unknown>;
    throw new Problem(answer.status, String(document["code"] ?? "failed"), String(document["detail"] ?? `The server answered ${answer.status}.`), document);
  }
  return new Uint8Array(await answer.arrayBuffer());
}
