/** The two requests of the editor: the head of a layer, and a save. Every answer becomes one of a few outcomes. */

import { MEDIA_TYPE } from "./message";

export interface Head {
  readonly revision: string;
  readonly bytes: Uint8Array;
}

export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "stale" }
  | { readonly kind: "signed-out" }
  /** The work is no longer this person's: given back, or given to somebody else. */
  | { readonly kind: "lease-lost" }
  | { readonly kind: "not-editable" }
  /** The server has read it and says no: the same bytes will never be taken. */
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
  /** No answer, or one that may change by itself: try again, not before the server wants it. */
  | { readonly kind: "unreachable"; readonly reason: string; readonly notBeforeMs: number };

const TIMEOUT_MS = 60_000;
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class MaskServer {
  constructor(
    readonly url: string,
    private headers: Readonly<Record<string, string>>,
    private readonly fetch: Fetch,
  ) {}

  useHeaders(headers: Readonly<Record<string, string>>): void {
    this.headers = headers;
  }

  /** The newest revision of the layer, as a mask message. */
  head(): Promise<Outcome<Head>> {
    return this.#request({ method: "GET", headers: { ...this.headers, Accept: MEDIA_TYPE } }, async (response) => ({
      revision: etagOf(response) ?? "empty",
      bytes: new Uint8Array(await response.arrayBuffer()),
    }));
  }

  /** Sends a save; answers the new revision. Sent twice with one key it is stored once. */
  save(body: Uint8Array, ifMatch: string, key: string): Promise<Outcome<string>> {
    const headers = {
      ...this.headers,
      "Content-Type": MEDIA_TYPE,
      Accept: "application/json",
      "If-Match": `"${ifMatch}"`,
      "Idempotency-Key": key,
    };
    return this.#request({ method: "PUT", headers, body: body as Uint8Array<ArrayBuffer> }, async (response) => {
      const answer = (await response.json()) as { revision: string };
      return etagOf(response) ?? answer.revision;
    });
  }

  async #request<T>(init: RequestInit, read: (response: Response) => Promise<T>): Promise<Outcome<T>> {
    try {
      const response = await this.fetch(this.url, {
        ...init,
        credentials: "same-origin",
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.ok) return { kind: "ok", value: await read(response) };
      // A redirect is the way to the log-in page.
      if (response.type === "opaqueredirect" || [301, 302, 401].includes(response.status))
        return { kind: "signed-out" };
      if (response.status === 412) return { kind: "stale" };
      const { code, detail } = await problemOf(response);
      if (response.status === 404 || code === "lease_lost" || code === "not_yours") return { kind: "lease-lost" };
      // A token of before the last log-in: the page fetches another one.
      if (response.status === 403) return { kind: "signed-out" };
      if (response.status === 409) return { kind: "not-editable" };
      if (response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429)
        return { kind: "refused", code, detail };
      return {
        kind: "unreachable",
        reason: code,
        notBeforeMs: Math.min(300, Number(response.headers.get("Retry-After")) || 0) * 1000,
      };
    } catch (error) {
      return {
        kind: "unreachable",
        notBeforeMs: 0,
        reason: error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network",
      };
    }
  }
}

const etagOf = (response: Response): string | null =>
  response.headers.get("ETag")?.replace(/^W\//, "").replace(/^"|"$/g, "") ?? null;

/** Code and sentence of a refusal; a proxy's own error page has neither. */
async function problemOf(response: Response): Promise<{ code: string; detail: string }> {
  const plain = { code: `http_${response.status}`, detail: `The server answered ${response.status}.` };
  try {
    return { ...plain, ...((await response.json()) as Partial<typeof plain>) };
  } catch {
    return plain;
  }
}
