/**
 * What stays at the site: the key of each campaign, and whose code is whose. The same sealed file as the one of
 * `manage.py send` (scrypt, AES-256-GCM); neither it nor the passphrase leaves the page.
 */

import { scryptAsync } from "@noble/hashes/scrypt.js";
import { readKept, type Shape } from "../ground/check";
import type { Cleaned } from "./cleaning";
import { hex, KEY_BYTES, SiteKeys } from "./keys";
import { Refusal } from "./refusal";

const FORMAT = "voxloop-site-vault";
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const COST = { N: 1 << 16, r: 8, p: 1, dkLen: 32 };
const SHORTEST = 12;
const UTF8 = new TextEncoder();

type Bytes = Uint8Array<ArrayBuffer>;

interface Subject {
  patient_id: string;
  name: string;
  birth_date: string;
  shift_days: number;
  series: Record<string, { study_uid: string; series_uid: string }>;
}

type Campaigns = Record<string, { key: string; subjects: Record<string, Subject> }>;

const CAMPAIGNS: Shape<Campaigns> = "{campaign";
const PARTS = {
  campaign: "key:s subjects:{subject",
  subject: "patient_id name birth_date:s shift_days:i series:{series",
  series: "study_uid series_uid:s",
};

export class Vault {
  readonly #key: Bytes;
  readonly #salt: Bytes;
  readonly #campaigns: Campaigns;
  #isChanged: boolean;

  private constructor(key: Bytes, salt: Bytes, campaigns: Campaigns, isNew: boolean) {
    this.#key = key;
    this.#salt = salt;
    this.#campaigns = campaigns;
    this.#isChanged = isNew;
  }

  /** A new one. Throws `Refusal` (`weak_passphrase`, `no_cryptography`). */
  static async make(passphrase: string): Promise<Vault> {
    checkCryptography();
    if (passphrase.length < SHORTEST) {
      throw new Refusal("weak_passphrase", `A passphrase has at least ${SHORTEST} characters; choose a longer one.`);
    }
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    return new Vault(await derive(passphrase, salt), salt, {}, true);
  }

  /** The vault of a file. Throws `Refusal` (`wrong_passphrase`, `bad_vault`, `no_cryptography`). */
  static async open(text: string, passphrase: string): Promise<Vault> {
    checkCryptography();
    const { salt, nonce, sealed } = parts(text);
    const key = await derive(passphrase, salt);
    let plain: ArrayBuffer;
    try {
      plain = await crypto.subtle.decrypt(sealing(nonce), await imported(key), sealed);
    } catch {
      throw new Refusal(
        "wrong_passphrase",
        "The passphrase does not open the site's vault, or the file was changed; try the passphrase again, or " +
          "restore the file from a back-up.",
      );
    }
    return new Vault(key, salt, campaignsOf(plain), false);
  }

  /** Whether it holds what no saved file holds. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** The keys of a campaign; made when it has none. */
  keys(campaign: string): SiteKeys {
    const { key } = this.#entry(campaign);
    return new SiteKeys(Uint8Array.from(key.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
  }

  /** Keep whose code a file got, and of which series it is. */
  note(campaign: string, cleaned: Omit<Cleaned, "data">): void {
    const { subjects } = this.#entry(campaign);
    const { person, patient, seriesCode, studyUid, seriesUid } = cleaned;
    const known = (subjects[person.code] ??= { ...patient, shift_days: person.shiftDays, series: {} });
    const held = known.series[seriesCode];
    if (held?.study_uid === studyUid && held.series_uid === seriesUid) return;
    known.series[seriesCode] = { study_uid: studyUid, series_uid: seriesUid };
    this.#isChanged = true;
  }

  /** The file's text, sealed anew. */
  async seal(): Promise<string> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const plain = UTF8.encode(JSON.stringify(this.#campaigns));
    const sealed = new Uint8Array(await crypto.subtle.encrypt(sealing(nonce), await imported(this.#key), plain));
    this.#isChanged = false;
    return JSON.stringify({
      format: FORMAT,
      salt: base64(this.#salt),
      nonce: base64(nonce),
      sealed: base64(sealed),
    });
  }

  #entry(campaign: string): Campaigns[string] {
    const known = Object.hasOwn(this.#campaigns, campaign) ? this.#campaigns[campaign] : undefined;
    if (known) return known;
    this.#isChanged = true;
    const made = { key: hex(crypto.getRandomValues(new Uint8Array(KEY_BYTES))), subjects: {} };
    this.#campaigns[campaign] = made;
    return made;
  }
}

function checkCryptography(): void {
  if (globalThis.crypto?.subtle) return;
  throw new Refusal(
    "no_cryptography",
    "Browsers have no cryptography over plain http; open this page by https, or use manage.py send.",
  );
}

function parts(text: string): Readonly<Record<"salt" | "nonce" | "sealed", Bytes>> {
  try {
    const document = JSON.parse(text) as Record<string, unknown>;
    if (document.format !== FORMAT) throw new Error("another format");
    const part = (name: string) => Uint8Array.from(atob(String(document[name])), (sign) => sign.charCodeAt(0));
    const found = { salt: part("salt"), nonce: part("nonce"), sealed: part("sealed") };
    if (found.nonce.length !== NONCE_BYTES) throw new Error("another nonce");
    return found;
  } catch {
    throw badVault();
  }
}

const badVault = (): Refusal => new Refusal("bad_vault", "The file is not a site's vault; restore it from a back-up.");

function campaignsOf(plain: ArrayBuffer): Campaigns {
  const found = readKept(new TextDecoder().decode(plain), CAMPAIGNS, PARTS);
  if (!found) throw badVault();
  return found;
}

const derive = async (passphrase: string, salt: Bytes): Promise<Bytes> =>
  new Uint8Array(await scryptAsync(UTF8.encode(passphrase), salt, COST));

const imported = (key: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);

const sealing = (iv: Bytes) => ({ name: "AES-GCM", iv, additionalData: UTF8.encode(FORMAT) });

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
