/** What the page asks of the worker that holds the key and reads the files. */

import type { Judged } from "./series";

/** A file, and where it lies among those that were chosen. */
export interface Chosen {
  readonly name: string;
  readonly file: File;
}

/** Each call: what it takes and answers. */
export interface Calls {
  /** Open the text of a vault, or make a new one (null). */
  open: { readonly take: { readonly text: string | null; readonly passphrase: string }; readonly give: true };
  /** Judge files for a campaign; the progress counts files. */
  judge: {
    readonly take: { readonly files: readonly Chosen[]; readonly campaign: string };
    readonly give: Judged;
  };
  /** Note whose code is whose for these series; answers whether the vault must be saved first. */
  note: { readonly take: { readonly ids: readonly number[] }; readonly give: boolean };
  /** The vault's file. */
  seal: { readonly take: Record<string, never>; readonly give: string };
  /** The zip of a series; the progress counts files. */
  pack: { readonly take: { readonly id: number }; readonly give: Blob };
}

export type Name = keyof Calls;

export type Asked = {
  readonly [K in Name]: { readonly ask: number; readonly name: K; readonly take: Calls[K]["take"] };
}[Name];

export type Answer =
  | { readonly ask: number; readonly done: number; readonly of: number }
  | { readonly ask: number; readonly give: unknown }
  | { readonly ask: number; readonly code: string; readonly sentence: string };
