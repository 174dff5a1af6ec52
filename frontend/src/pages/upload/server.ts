/** The server, as the upload page sees it: take this file, and what became of it. */

import { Away, call, csrfHeaders, Problem, valueOf } from "../../ground/api";
import { isTable } from "../../ground/check";
import { known } from "../../ground/known";
import * as shapes from "../../ground/shapes";
import type { Made } from "./journal";

const ASK_EVERY_MS = 1000;
const PASSING: readonly number[] = [408, 429, 502, 503, 504, 507];
const ENDED: readonly string[] = ["succeeded", "failed", "cancelled", "lost"];

/** What the server made of a file, or why it made nothing. */
export interface Ended {
  readonly scans: readonly Made[];
  readonly reason: string;
}

/**
 * Send one file; answers the id of the job that reads it. `onShare` hears which part is sent, 0 to 1. Throws `Problem`
 * for a refusal, `TypeError` when the line is cut, and what `signal` was aborted with.
 */
export function upload(
  file: Blob,
  name: string,
  to: { readonly site: string; readonly campaign: string },
  onShare: (share: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const form = new FormData();
  form.set("site", to.site);
  form.set("campaign", to.campaign);
  form.set("file", file, name);
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => onShare(total ? loaded / total : 0));
    request.addEventListener("error", () => reject(new TypeError("The line to the server is cut.")));
    request.addEventListener("load", () => {
      const told = valueOf(request.responseText);
      const answer = isTable(told) ? told : {};
      if (request.status === 202) resolve(String(answer["id"]));
      else reject(problemOf(request.status, answer));
    });
    signal.addEventListener("abort", () => {
      request.abort();
      reject(signal.reason as Error);
    });
    request.open("POST", "/api/v1/scans/upload");
    request.setRequestHeader("Accept", "application/json");
    for (const [header, value] of Object.entries(csrfHeaders())) request.setRequestHeader(header, value);
    request.send(form);
  });
}

function problemOf(status: number, answer: Readonly<Record<string, unknown>>): Error {
  const text = (name: string, otherwise: string) => (typeof answer[name] === "string" ? answer[name] : otherwise);
  const code = text("code", `http_${status}`);
  if (PASSING.includes(status)) return new Away(status, code, 0);
  return new Problem(status, code, text("detail", `The server answered ${status}.`), answer);
}

/** Wait until the job has ended; null when the server knows no such job. Throws as `call` does. */
export async function ended(
  job: string,
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<Ended | null> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const found = await call("GET", `/api/v1/jobs/${job}/`, undefined, shapes.Job);
      if (ENDED.includes(found.state)) return endOf(found);
      onPercent(found.progress);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

function endOf({ state, result, error }: { state: string; result: unknown; error: string }): Ended {
  const rows = (name: string): Readonly<Record<string, unknown>>[] => {
    const list: unknown = isTable(result) ? result[name] : undefined;
    return Array.isArray(list) ? list.filter(isTable) : [];
  };
  const scans = rows("scans").map((row) => ({ id: String(row["id"]), code: String(row["code"]) }));
  if (state === "succeeded" && scans.length) return { scans, reason: "" };
  const refused = rows("refused")[0]?.["reason"];
  const reason = typeof refused === "string" ? refused : error;
  return { scans: [], reason: reason || "The server ended the import without a reason." };
}

export const userOf = (page: Document): string =>
  known(page.querySelector<HTMLMetaElement>('meta[name="user"]'), "The user").content;
