/** The two requests of the editor: the head of a layer, and a save. Every answer becomes one of a few outcomes. */

import { MEDIA_TYPE } from "./message";

export interface Head { readonly revision: string; readonly bytes: Uint8Array }

export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "stale" }
  | { readonly kind: "signed-out" }
  | { readonly kind: "lease-lost" }
  | { readonly kind: "not-editable" }
  /** No answer, or one that may change by itself: try again. */
  | { readonly kind: "unreachable"; readonly reason: string };

const TIMEOUT_MS = 60_000;
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class MaskServer {
  constructor(readonly url: string, private headers: Readonly<Record<string, string>>, private readonly fetch: Fetch) {}

  useHeaders(headers: Readonly<Record<string, string>>): void { this.headers = headers; }

  /** The newest revision of the layer, as a mask message. */
  head(): Promise<Outcome<Head>> {
    return this.#request({ method: "GET", headers: { ...this.headers, Accept: MEDIA_TYPE } }, async (response) => ({
      revision: etagOf(response) ?? "empty", bytes: new Uint8Array(await response.arrayBuffer()),
    }));
  }

  /** Sends a save; answers the new revision. Sent twice with one key it is stored once. */
  save(body: Uint8Array, ifMatch: string, key: string): Promise<Outcome<string>> {
    const headers = { ...this.headers, "Content-Type": MEDIA_TYPE, Accept: "application/json", "If-Match": `"${ifMatch}"`, "Idempotency-Key": key };
    return this.#request({ method: "PUT", headers, body: body as Uint8Array<ArrayBuffer> }, async (response) => {
      const answer = (await response.json()) as { revision: string };
      return etagOf(response) ?? answer.revision;
    });
  }

  async #request<T>(init: RequestInit, read: (response: Response) => Promise<T>): Promise<Outcome<T>> {
    try {
      const response = await this.fetch(this.url, {
        ...init, credentials: "same-origin", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.ok) return { kind: "ok", value: await read(response) };
      // A redirect is the way to the log-in page.
      if (response.type === "opaqueredirect" || [301, 302, 401, 403].includes(response.status)) return { kind: "signed-out" };
      if (response.status === 412) return { kind: "stale" };
      const code = await codeOf(response);
      if (code === "lease_lost") return { kind: "lease-lost" };
      // 404: the work was given to somebody else; what was drawn stays in the journal.
      if (response.status === 409 || response.status === 404) return { kind: "not-editable" };
      return { kind: "unreachable", reason: code ?? `http_${response.status}` };
    } catch (error) {
      return { kind: "unreachable", reason: error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network" };
    }
  }
}

const etagOf = (response: Response): string | null =>
  response.headers.get("ETag")?.replace(/^W\//, "").replace(/^"|"$/g, "") ?? null;

async function codeOf(response: Response): Promise<string | null> {
  try {
    return ((await response.json()) as { code?: string }).code ?? null;
  } catch {
    return null;
  }
}
