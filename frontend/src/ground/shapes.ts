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
export const Job: Shape<Pick<contract.Job, "state" | "progress" | "result" | "error">> = "M";
export const Marks: Shape<contract.Marks> = "S";
export const OfflineLoad: Shape<Pick<contract.OfflineLoad, "until" | "scans">> = "V";
export const OfflinePlan: Shape<contract.OfflinePlan> = "W";
export const Reply: Shape<contract.Reply> = "Fa";
export const SavedAnswers: Shape<Pick<contract.SavedAnswers, "values">> = "Ia";
export const Setter: Shape<contract.Setter> = "La";
export const Settings: Shape<Pick<contract.Settings, "saved" | "values">> = "Na";
export const Verdict: Shape<Pick<contract.Verdict, "next" | "undo_seconds">> = "Qa";
export const VolumeIndex: Shape<contract.VolumeIndex> = "Ra";

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
  E: "id author text created_at:s ijk:?3i round:i state:=open/resolved/reopened edited_at:?s replies:[Fa",
  // Condition
  F: "question:s in:[sb",
  // Context
  G:
    "id reason user:s stage:=annotation/review/arbitration/certification/planted " +
    "state:=queued/open/submitted/approved/returned/blocked/skipped/reclaimed round offline_days:i batch:B " +
    "campaign:C scan:Ja prior:?Ca schema:O masks:{U overlays:[Z probability:?Da interactive:?K answers:A marks:T " +
    "comments:[E comments_seen lease_until previous next:?s review:?Ga feedback:?H signature:Oa seen:Pa " +
    "proposed_policy:=off/warn/block can:Ba interlocks:[L pauses:[Aa settings:Na",
  // Feedback
  H:
    "dice surface_dice tolerance_mm too_much_ml missed_ml gold_ml pass_dice mean_dice:n attempt measured scans:i " +
    "state:=working/passed/failed/cancelled next:?s",
  // HandedIn
  I: "next:?s",
  // History
  J: "revisions:[Q",
  // Interactive
  K: "name licence:s",
  // Interlock
  L: "code message:s blocking:b jump:N",
  // Job
  M: "state:=queued/running/succeeded/failed/cancelled/lost progress:i result:* error:s",
  // Jump
  N: "question?:?s layer?:s ijk?:?3i",
  // LabelSchema
  O: "layers:[P questions:[Ea",
  // Layer
  P: "name title:s editable:b limit:=/lungs segments:[Ka",
  // ListedRevision
  Q: "id model created_at source:s kind:=draft/correction/prediction/consensus/import author:?s tools counts change:{i",
  // Mark
  R: "kind:=length/ellipse/rectangle plane:?=axial/coronal/sagittal index:?i start end:3n",
  // Marks
  S: "values:{R",
  // MarksOfContext
  T: "own:{R others:[R url:s",
  // MaskSource
  U: "head:?s start source url:s",
  // OfflineLoad
  V: "until:s scans:[X",
  // OfflinePlan
  W: "scans:[X bytes days:i",
  // OfflineScan
  X: "assignment code view:s bytes:i",
  // Option
  Y: "value label:s means:=/infection/no_infection",
  // Overlay
  Z: "key title layer revision url:s",
  // Pause
  Aa: "what why:s since:?s",
  // Permissions
  Ba: "edit submit skip block approve correct return comment:b",
  // Prior
  Ca: "scan code description volume:s mask:?s",
  // Probability
  Da: "url layer model:s bytes:i shape_zyx step_zyx:3i segment:?i",
  // Question
  Ea:
    "key text unit:s kind:=choice/choices/boolean/number/text required:b options:[Y min max:?n decimals " +
    "max_length:i shown_when:?F",
  // Reply
  Fa: "id author text created_at:s edited_at:?s",
  // ReviewOfContext
  Ga:
    "id author:s round:i state:=pending/claimed/approved/corrected/returned/arbitration/withdrawn/taken_back " +
    "answers:{* submitted:{s looked_at reasons:[s",
  // Revision
  Ha: "id model created_at source:s kind:=draft/correction/prediction/consensus/import author:?s",
  // SavedAnswers
  Ia: "values:{*",
  // ScanOfContext
  Ja: "id code site modality description volume:s shape_zyx:?3i spacing_mm_zyx:?3n index:?Ra",
  // Segment
  Ka: "id:i key name colour:s infectious:b",
  // Setter
  La: "value:i revision:?Ha strokes:[Ma",
  // SettingStroke
  Ma: "id tool at:?s segment:?i",
  // Settings
  Na: "saved:i values:{*",
  // Signature
  Oa: "meaning:s policy:=always/recent/log_in minutes:i",
  // SlicesSeen
  Pa: "slices:s enough:n policy:=off/warn/block",
  // Verdict
  Qa: "next:?s undo_seconds:i",
  // VolumeIndex
  Ra:
    "version:i scan modality seal:s shape_zyx:3i spacing_mm_zyx:3n lps_from_ijk:44n pack:Ta preview:Ua limit:?Sa " +
    "hu_range:2i",
  // VolumeLimit
  Sa: "url:s bytes background_hu:i",
  // VolumePack
  Ta: "url sha256:s bytes:i codec:=htj2k dtype:=int16/uint16 slices:[2i sums:?s",
  // VolumePreview
  Ua: "url:s bytes hu_lo hu_step:i shape_zyx step_zyx:3i codec:=gzip/htj2k lengths:[i",
};
