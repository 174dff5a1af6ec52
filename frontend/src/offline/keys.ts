/** The keys that the page came with: of the person (unsent work) and of the log-in (copies of voxels). */

import { Vault } from "../editor/vault";

const read = (): readonly string[] =>
  typeof document === "undefined"
    ? []
    : (document.querySelector<HTMLMetaElement>('meta[name="browser-keys"]')?.content ?? "").split(" ").filter(Boolean);

export const personKey = (): string | undefined => read()[0];
export const loginKey = (): string | undefined => read()[1];

let own: Promise<Vault> | undefined;

/** Seals strokes and words that the server does not have yet. */
export const personVault = (): Promise<Vault> => (own ??= Vault.of(personKey()));
