/**
 * The shapes of the answers that this side reads, in the words of `check.ts`. Made of `docs/openapi.yaml` by
 * `python3 manage.py contract`: never edited.
 */

import type { Shape } from "./check";
import type * as contract from "./contract";

export const Checks: Shape<contract.Checks> = "D";
export const Comment: Shape<contract.Comment> = "E";
export const Context: Shape<contract.Context> = "G";
export const HandedIn: Shape<Pick<contract.HandedIn, "next">> = "I";
export const History: Shape<Pick<contract.History, "revisions">> = "J";
export const Interlock: Shape<contract.Interlock> = "L";
export const Marks: Shape<contract.Marks> = "R";
export const OfflineLoad: Shape<Pick<contract.OfflineLoad, "until" | "scans">> = "U";
export const OfflinePlan: Shape<contract.OfflinePlan> = "V";
export const Reply: Shape<contract.Reply> = "Ea";
export const SavedAnswers: Shape<Pick<contract.SavedAnswers, "values">> = "Ha";
export const Setter: Shape<contract.Setter> = "Ka";
export const Settings: Shape<Pick<contract.Settings, "saved" | "values">> = "Ma";
export const Verdict: Shape<Pick<contract.Verdict, "next" | "undo_seconds">> = "Pa";
export const VolumeIndex: Shape<contract.VolumeIndex> = "Qa";

/** Components by their marks. */
export const PARTS: Readonly<Record<string, string>> = {
  // Answers
  A: "values:{* url:s",
  // BatchOfContext
  B: "id name:s position size:i due_on:?s",
  // CampaignOfContext
  C: "id name:s",
  // Checks
  D: "values:{b",
  // Comment
  E: "id author text created_at:s ijk:?3i round:i state:=open/resolved/reopened edited_at:?s replies:[Ea",
  // Condition
  F: "question:s in:[sb",
  // Context
  G:
    "id reason user:s stage:=annotation/review/arbitration/certification " +
    "state:=queued/open/submitted/approved/returned/blocked/skipped/reclaimed round offline_days:i batch:B " +
    "campaign:C scan:Ia prior:?Ba schema:N masks:{T overlays:[Y probability:?Ca interactive:?K answers:A marks:S " +
    "comments:[E comments_seen lease_until previous next:?s review:?Fa feedback:?H signature:Na seen:Oa " +
    "proposed_policy:=off/warn/block can:Aa interlocks:[L pauses:[Z settings:Ma",
  // Feedback
  H:
    "dice surface_dice tolerance_mm too_much_ml missed_ml gold_ml pass_dice mean_dice:n attempt measured scans:i " +
    "state:=working/passed/failed/cancelled next:?s",
  // HandedIn
  I: "next:?s",
  // History
  J: "revisions:[P",
  // Interactive
  K: "name licence:s",
  // Interlock
  L: "code message:s blocking:b jump:M",
  // Jump
  M: "question?:?s layer?:s ijk?:?3i",
  // LabelSchema
  N: "layers:[O questions:[Da",
  // Layer
  O: "name title:s editable:b limit:=/lungs segments:[Ja",
  // ListedRevision
  P: "id model created_at source:s kind:=draft/correction/prediction/consensus/import author:?s tools counts change:{i",
  // Mark
  Q: "kind:=length/ellipse/rectangle plane:?=axial/coronal/sagittal index:?i start end:3n",
  // Marks
  R: "values:{Q",
  // MarksOfContext
  S: "own:{Q others:[Q url:s",
  // MaskSource
  T: "head:?s start source url:s",
  // OfflineLoad
  U: "until:s scans:[W",
  // OfflinePlan
  V: "scans:[W bytes days:i",
  // OfflineScan
  W: "assignment code view:s bytes:i",
  // Option
  X: "value label:s means:=/infection/no_infection",
  // Overlay
  Y: "key title layer revision url:s",
  // Pause
  Z: "what why:s since:?s",
  // Permissions
  Aa: "edit submit skip block approve correct return comment:b",
  // Prior
  Ba: "scan code description volume:s mask:?s",
  // Probability
  Ca: "url layer model:s bytes:i shape_zyx step_zyx:3i segment:?i",
  // Question
  Da:
    "key text unit:s kind:=choice/choices/boolean/number/text required:b options:[X min max:?n decimals " +
    "max_length:i shown_when:?F",
  // Reply
  Ea: "id author text created_at:s edited_at:?s",
  // ReviewOfContext
  Fa:
    "id author:s round:i state:=pending/claimed/approved/corrected/returned/arbitration/withdrawn/taken_back " +
    "answers:{* submitted:{s looked_at reasons:[s",
  // Revision
  Ga: "id model created_at source:s kind:=draft/correction/prediction/consensus/import author:?s",
  // SavedAnswers
  Ha: "values:{*",
  // ScanOfContext
  Ia: "id code site modality description volume:s shape_zyx:?3i spacing_mm_zyx:?3n index:?Qa",
  // Segment
  Ja: "id:i key name colour:s infectious:b",
  // Setter
  Ka: "value:i revision:?Ga strokes:[La",
  // SettingStroke
  La: "id tool at:?s segment:?i",
  // Settings
  Ma: "saved:i values:{*",
  // Signature
  Na: "meaning:s policy:=always/recent/log_in minutes:i",
  // SlicesSeen
  Oa: "slices:s enough:n policy:=off/warn/block",
  // Verdict
  Pa: "next:?s undo_seconds:i",
  // VolumeIndex
  Qa:
    "version:i scan modality seal:s shape_zyx:3i spacing_mm_zyx:3n lps_from_ijk:44n pack:Sa preview:Ta limit:?Ra " +
    "hu_range:2i",
  // VolumeLimit
  Ra: "url:s bytes background_hu:i",
  // VolumePack
  Sa: "url sha256:s bytes:i codec:=htj2k dtype:=int16/uint16 slices:[2i sums:?s",
  // VolumePreview
  Ta: "url:s bytes hu_lo hu_step:i shape_zyx step_zyx:3i codec:=gzip/htj2k lengths:[i",
};
