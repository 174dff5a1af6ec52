/** Seals strokes and words that the server does not have yet, with the key of the person. */

import { Vault } from "../editor/vault";
import { personKey } from "../ground/personal";

let own: Promise<Vault> | undefined;

export const personVault = (): Promise<Vault> => (own ??= Vault.of(personKey()));
