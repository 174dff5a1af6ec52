/** Which images may leave at all: those whose pixels a scanner made. What may show a name is refused. */

import { numbersOf, textOf, wordsOf } from "./elements";
import type { DataSet } from "./parse";
import { pattern } from "./python";
import { Refusal } from "./refusal";
import { CLASSES, REFUSED_CLASSES, termsOf, VOCABULARY } from "./tables";
import { modalityInWords } from "./vocabulary";

const SOP_CLASS = 0x00080016;
const IMAGE_TYPE = 0x00080008;
const CONVERSION = 0x00080064;
export const MODALITY = 0x00080060;
export const STUDY_UID = 0x0020000d;
export const SERIES_UID = 0x0020000e;
const SERIES_DESCRIPTION = 0x0008103e;
const POSITION = 0x00200032;
const BURNED_IN = 0x00280301;
const SAMPLES = 0x00280002;
const PHOTOMETRIC = 0x00280004;
const CT = "1.2.840.10008.5.1.4.1.1.2";
const OF_A_SCANNER = new Set(["", "DI", "SYN"]);
const PAGES = pattern(VOCABULARY.pages);
const PAGE_NAMES = pattern(VOCABULARY.pageNames, "i");

/** Judge one file by its header and return its SOP class and the modalities of it. Throws `Refusal`. */
export function checkImage(header: DataSet): { sopClass: string; modalities: readonly string[] } {
  const sopClass = textOf(header.get(SOP_CLASS));
  const known = CLASSES.get(sopClass);
  if (!known) throw refusalOf(sopClass);
  const modality = textOf(header.get(MODALITY)).toUpperCase();
  if (modality && !known.modalities.includes(modality)) {
    const told = modalityInWords(modality);
    throw new Refusal(
      "wrong_modality",
      `The file is ${told}, which its SOP class does not hold; export it again as CT, CR or DX.`,
    );
  }
  checkKind(header, known.modalities.includes("CT"));
  if (sopClass === CT && !textOf(header.get(POSITION))) {
    throw new Refusal(
      "no_position",
      "The picture says nowhere where in the body it lies, so it may be a page of text; leave it out.",
    );
  }
  const samples = header.get(SAMPLES);
  const isGrey = termsOf("grey").includes(textOf(header.get(PHOTOMETRIC)).toUpperCase());
  if (!isGrey || (samples !== undefined && numbersOf(samples, "US")?.join("\\") !== "1")) {
    throw new Refusal("not_grey", "The picture is in colour, as pages and screens are; leave it out.");
  }
  if (!textOf(header.get(STUDY_UID)) || !textOf(header.get(SERIES_UID))) {
    throw new Refusal("no_uid", "The file does not say to which study and series it belongs; export it again.");
  }
  return { sopClass, modalities: known.modalities };
}

function refusalOf(sopClass: string): Refusal {
  const refused = REFUSED_CLASSES.find(({ root }) => sopClass === root || sopClass.startsWith(`${root}.`));
  if (refused) return new Refusal(refused.code, `The file ${refused.says}.`);
  if (!sopClass) return new Refusal("no_uid", "The file does not say what it is (SOP Class UID); export it again.");
  const names = [...new Set([...CLASSES.values()].flatMap(({ modalities }) => modalities))].sort().join(" or ");
  return new Refusal("wrong_class", `The file is no image of ${names}; leave it out.`);
}

function checkKind(header: DataSet, isCt: boolean): void {
  const kind = wordsOf(header.get(IMAGE_TYPE));
  if (kind.some((word) => PAGES.test(word)) || PAGE_NAMES.test(textOf(header.get(SERIES_DESCRIPTION)))) {
    throw new Refusal("dose_report", "The picture is a page of a dose report or protocol; leave it out.");
  }
  if (!OF_A_SCANNER.has(textOf(header.get(CONVERSION)).toUpperCase())) {
    throw new Refusal(
      "secondary_capture",
      "The picture was scanned or drawn and may show a name; send the scanner's own series.",
    );
  }
  if (kind.includes("LOCALIZER")) {
    throw new Refusal("localiser", "The picture is a localiser (an overview); leave it out.");
  }
  if (isCt && kind[0] === "DERIVED") {
    throw new Refusal("derived", "The picture was computed from another series; send the original.");
  }
  if (textOf(header.get(BURNED_IN)).toUpperCase() === "YES") {
    throw new Refusal(
      "burned_in_annotation",
      "The picture says that text is burnt into its pixels; export it without annotations.",
    );
  }
}
