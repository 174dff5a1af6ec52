/** A server that keeps the contract of docs/formats.md in memory, and a line to it that can be cut anywhere. */

import { AcceptedLesions } from "../../src/editor/accepted";
import { Labelmap } from "../../src/editor/labelmap";
import { decodeMessage, gzip, layOut } from "../../src/editor/message";
import { CHUNK_VOXELS, decodeChunk, extentOf } from "../../src/editor/chunks";
import type { Stroke, Zyx } from "../../src/editor/types";

/** What happens to a request: served; lost on the way there; served but the answer lost; refused. */
export type Weather = "fine" | "lost" | "answer-lost" | 401 | 404 | 409 | 413 | 422 | 429 | 503 | 507;

export class Server {
  labels: Uint8Array;
  revision = "empty";
  strokes: Stroke[] = [];
  saves = 0;
  bytes = 0;
  weather: (method: string) => Weather = () => "fine";
  readonly keys = new Map<string, string>();
  readonly bodies = new Map<string, string>();

  constructor(readonly shape: Zyx) {
    this.labels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  }

  readonly fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    const weather = this.weather(init.method!);
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (weather === "lost") throw new TypeError("network");
    if (typeof weather === "number")
      return this.problem(
        weather,
        { 409: "not_editable", 429: "too_many_requests", 503: "database_away", 507: "no_space" }[weather as number] ??
          "refused",
      );
    const answer = init.method === "GET" ? await this.get() : await this.put(init);
    if (weather === "answer-lost") throw new TypeError("network");
    return answer;
  };

  /** A save by somebody else: `change` gets the labels. */
  foreign(change: (labels: Uint8Array) => void): void {
    change(this.labels);
    this.revision = `foreign-${++this.saves}`;
  }

  private async get(): Promise<Response> {
    const copy = new Labelmap(this.shape);
    copy.data.set(this.labels);
    const accepted = new AcceptedLesions();
    accepted.note(this.strokes);
    const body = await gzip(layOut("findings", this.shape, this.chunksOf(copy), [], accepted.list()));
    return new Response(body as Uint8Array<ArrayBuffer>, { headers: { ETag: `"${this.revision}"` } });
  }

  private chunksOf(copy: Labelmap) {
    const all = Array.from({ length: copy.occupied.length }, (_, chunk) => chunk);
    all.forEach((chunk) => {
      copy.occupied[chunk] = 1;
    });
    return copy.payloads(all).filter(({ payload }) => payload.length > 2 || payload[1] !== 0);
  }

  private async put(init: RequestInit): Promise<Response> {
    const headers = init.headers as Record<string, string>;
    const key = headers["Idempotency-Key"]!,
      body = init.body as Uint8Array;
    const text = Buffer.from(body).toString("base64");
    if (this.bodies.has(key) && this.bodies.get(key) !== text) throw new Error("another body under the same key");
    this.bodies.set(key, text);
    const message = await decodeMessage(body, this.shape);
    const known = this.keys.get(key);
    if (known) return this.saved(known, 200);
    if (headers["If-Match"] !== `"${this.revision}"`) return this.problem(412, "stale_revision");
    for (const { index, payload } of message.chunks) {
      const voxels = decodeChunk(payload, new Uint8Array(CHUNK_VOXELS));
      const { z, y, x, depth, height, width } = extentOf(this.shape, index);
      for (let dz = 0; dz < depth; dz++)
        for (let dy = 0; dy < height; dy++) {
          this.labels.set(
            voxels.subarray((dz * 32 + dy) * 32, (dz * 32 + dy) * 32 + width),
            ((z + dz) * this.shape[1] + y + dy) * this.shape[2] + x,
          );
        }
    }
    this.strokes.push(...(message.strokes as Stroke[]));
    this.bytes += body.length;
    this.revision = `revision-${++this.saves}`;
    this.keys.set(key, this.revision);
    return this.saved(this.revision, 201);
  }

  private saved(revision: string, status: number): Response {
    return new Response(JSON.stringify({ revision }), { status, headers: { ETag: `"${revision}"` } });
  }

  private problem(status: number, code: string): Response {
    const headers: HeadersInit = status === 429 || status === 503 ? { "Retry-After": "1" } : {};
    return new Response(JSON.stringify({ code, detail: `The server says ${code}.` }), { status, headers });
  }
}
