/**
 * De-identify a folder of files, for the test that holds the browser's bytes against Python's
 * (tests/unit/intake/deidentify/test_browser.py): `program.ts FOLDER KEY`. Beside each `name` it writes `name.out`, or
 * the refusal, and into `answer.json` codes, counts and numbers.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deidentify } from "../../src/deidentify/cleaning";
import { SiteKeys } from "../../src/deidentify/keys";
import { general, repr, wholeText } from "../../src/deidentify/python";
import { Refusal } from "../../src/deidentify/refusal";
import { Report } from "../../src/deidentify/report";
import { Vault } from "../../src/deidentify/vault";

export function run(folder: string, key: string): void {
  const keys = new SiteKeys(new Uint8Array(Buffer.from(key, "hex")));
  const answers: Record<string, unknown> = {};
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".dcm"))) {
    const report = new Report();
    try {
      const { data, ...cleaned } = deidentify(new Uint8Array(readFileSync(join(folder, name))), keys, report);
      writeFileSync(join(folder, `${name}.out`), data);
      answers[name] = { ...cleaned, classes: report.classes };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answers[name] = { code: error.code, sentence: error.message };
    }
  }
  const numbers = JSON.parse(readFileSync(join(folder, "numbers.json"), "utf8")) as number[];
  const written = numbers.map((one) => [repr(one), general(one, 6), general(one, 10), wholeText(one)]);
  writeFileSync(join(folder, "answer.json"), JSON.stringify({ files: answers, numbers: written }));
}

/** Open `vault.json`, note the one file `note.dcm` in it, and write `sealed.json`; or say why not. */
export async function runVault(folder: string, passphrase: string, campaign: string): Promise<void> {
  try {
    const path = join(folder, "vault.json");
    const vault = existsSync(path)
      ? await Vault.open(readFileSync(path, "utf8"), passphrase)
      : await Vault.make(passphrase);
    const keys = vault.keys(campaign);
    const { data: _, ...cleaned } = deidentify(
      new Uint8Array(readFileSync(join(folder, "note.dcm"))),
      keys,
      new Report(),
    );
    vault.note(campaign, cleaned);
    writeFileSync(join(folder, "sealed.json"), await vault.seal());
    writeFileSync(join(folder, "said.json"), JSON.stringify({ code: "" }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    writeFileSync(join(folder, "said.json"), JSON.stringify({ code: error.code, sentence: error.message }));
  }
}
