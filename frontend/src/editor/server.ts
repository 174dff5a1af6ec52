/** The two requests of the editor: the head of a layer, and a save. Every answer becomes one of a few outcomes. */

import { isTable } from "../ground/check";
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

/** Statuses that say all there is to know. A redirect is the way to the log-in page. */
const PLAIN: Readonly<Record<number, Outcome<never>>> = {
  301: { kind: "signed-out" },
  302: { kind: "signed-out" },
  401: { kind: "signed-out" },
  412: { kind: "stale" },
};

async function refusalOf(response: Response): Promise<Outcome<never>> {
  const { status } = response;
  const plain = response.type === "opaqueredirect" ? PLAIN[302] : PLAIN[status];
  if (plain) return plain;
  const { code, detail } = await problemOf(response);
  if (status === 404 || code === "lease_lost" || code === "not_yours") return { kind: "lease-lost" };
  // A token of before the last log-in: the page fetches another one.
  if (status === 403) return { kind: "signed-out" };
  if (status === 409) return { kind: "not-editable" };
  // 408 (too late) and 429 (too often) pass by themselves.
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: "refused", code, detail };
  return {
    kind: "unreachable",
    reason: code,
    notBeforeMs: Math.min(300, Number(response.headers.get("Retry-After")) || 0) * 1000,
  };
}

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
      const saved: unknown = await response.json();
      const revision = etagOf(response) ?? (isTable(saved) ? saved["revision"] : null);
      if (typeof revision !== "string") throw new NotUnderstood();
      return revision;
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
      return response.ok ? { kind: "ok", value: await read(response) } : await refusalOf(response);
    } catch (error) {
      return {
        kind: "unreachable",
        notBeforeMs: 0,
        reason: reasonOf(error),
      };
    }
  }
}

/** The server took it and does not say as what: sent again, under the same key, it is stored once. */
class NotUnderstood extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof NotUnderstood) return "not_understood";
  return error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network";
}

const etagOf = (response: Response): string | null =>
  response.headers.get("ETag")?.replace(/^W\//, "").replace(/^"|"$/g, "") ?? null;

/** Code and sentence of a refusal; a proxy's own error page has neither. */
async function problemOf(response: Response): Promise<{ code: string; detail: string }> {
  const told: unknown = await response.json().catch(() => null);
  const { code, detail } = isTable(told) ? told : {};
  return {
    code: typeof code === "string" ? code : `http_${response.status}`,
    detail: typeof detail === "string" ? detail : `The server answered ${response.status}.`,
  };
}
