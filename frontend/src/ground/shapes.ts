/**
 * The shapes of the answers that this side reads, in the words of `check.ts`. Made of `docs/openapi.yaml` by
 * `python3 manage.py contract`: never edited.
 */

import type { Shape } from "./check";
import type * as contract from "./contract";

export const Checks: Shape<contract.Checks> = "D";
export const Comment: Shape<contract.Comment> = "E";
export const Context: Shape<contract.Context> = "G";
export const HandedIn: Shape<Pick<contract.HandedIn, "next">> = "H";
export const History: Shape<Pick<contract.History, "revisions">> = "I";
export const Interlock: Shape<contract.Interlock> = "K";
export const Marks: Shape<contract.Marks> = "Q";
export const OfflineLoad: Shape<Pick<contract.OfflineLoad, "until" | "scans">> = "T";
export const OfflinePlan: Shape<contract.OfflinePlan> = "U";
export const Reply: Shape<contract.Reply> = "Da";
export const SavedAnswers: Shape<Pick<contract.SavedAnswers, "values">> = "Ga";
export const Setter: Shape<contract.Setter> = "Ja";
export const Settings: Shape<Pick<contract.Settings, "saved" | "values">> = "La";
export const Verdict: Shape<Pick<contract.Verdict, "next" | "undo_seconds">> = "Oa";
export const VolumeIndex: Shape<contract.VolumeIndex> = "Pa";

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
  E: "id author text created_at:s ijk:?3i round:i state:=open/resolved/reopened edited_at:?s replies:[Da",
  // Condition
  F: "question:s in:[sb",
  // Context
  G:
    "id reason user:s stage:=annotation/review/arbitration " +
    "state:=queued/open/submitted/approved/returned/blocked/skipped/reclaimed round offline_days:i batch:B " +
    "campaign:C scan:Ha prior:?Aa schema:M masks:{S overlays:[X probability:?Ba interactive:?J answers:A marks:R " +
    "comments:[E comments_seen lease_until previous next:?s review:?Ea signature:Ma seen:Na can:Z interlocks:[K " +
    "pauses:[Y settings:La",
  // HandedIn
  H: "next:?s",
  // History
  I: "revisions:[O",
  // Interactive
  J: "name licence:s",
  // Interlock
  K: "code message:s blocking:b jump:L",
  // Jump
  L: "question?:?s layer?:s ijk?:?3i",
  // LabelSchema
  M: "layers:[N questions:[Ca",
  // Layer
  N: "name title:s editable:b limit:=/lungs segments:[Ia",
  // ListedRevision
  O: "id model created_at source:s kind:=draft/correction/prediction/consensus/import author:?s tools counts change:{i",
  // Mark
  P: "kind:=length/ellipse/rectangle plane:?=axial/coronal/sagittal index:?i start end:3n",
  // Marks
  Q: "values:{P",
  // MarksOfContext
  R: "own:{P others:[P url:s",
  // MaskSource
  S: "head:?s start source url:s",
  // OfflineLoad
  T: "until:s scans:[V",
  // OfflinePlan
  U: "scans:[V bytes days:i",
  // OfflineScan
  V: "assignment code view:s bytes:i",
  // Option
  W: "value label:s means:=/infection/no_infection",
  // Overlay
  X: "key title layer revision url:s",
  // Pause
  Y: "what why:s since:?s",
  // Permissions
  Z: "edit submit skip block approve correct return comment:b",
  // Prior
  Aa: "scan code description volume:s mask:?s",
  // Probability
  Ba: "url layer model:s bytes:i shape_zyx step_zyx:3i segment:?i",
  // Question
  Ca:
    "key text unit:s kind:=choice/choices/boolean/number/text required:b options:[W min max:?n decimals " +
    "max_length:i shown_when:?F",
  // Reply
  Da: "id author text created_at:s edited_at:?s",
  // ReviewOfContext
  Ea:
    "id author:s round:i state:=pending/claimed/approved/corrected/returned/arbitration/withdrawn/taken_back " +
    "answers:{* submitted:{s looked_at reasons:[s",
  // Revision
  Fa: "id model created_at source:s kind:=draft/correction/prediction/consensus/import author:?s",
  // SavedAnswers
  Ga: "values:{*",
  // ScanOfContext
  Ha: "id code site modality description volume:s shape_zyx:?3i spacing_mm_zyx:?3n index:?Pa",
  // Segment
  Ia: "id:i key name colour:s infectious:b",
  // Setter
  Ja: "value:i revision:?Fa strokes:[Ka",
  // SettingStroke
  Ka: "id tool at:?s segment:?i",
  // Settings
  La: "saved:i values:{*",
  // Signature
  Ma: "meaning:s policy:=always/recent/log_in minutes:i",
  // SlicesSeen
  Na: "slices:s enough:n policy:=off/warn/block",
  // Verdict
  Oa: "next:?s undo_seconds:i",
  // VolumeIndex
  Pa:
    "version:i scan modality seal:s shape_zyx:3i spacing_mm_zyx:3n lps_from_ijk:44n pack:Ra preview:Sa limit:?Qa " +
    "hu_range:2i",
  // VolumeLimit
  Qa: "url:s bytes background_hu:i",
  // VolumePack
  Ra: "url sha256:s bytes:i codec:=htj2k dtype:=int16/uint16 slices:[2i sums:?s",
  // VolumePreview
  Sa: "url:s bytes hu_lo hu_step:i shape_zyx step_zyx:3i codec:=gzip/htj2k lengths:[i",
};
