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
export const OfflineLoad: Shape<Pick<contract.OfflineLoad, "until" | "scans">> = "Q";
export const OfflinePlan: Shape<contract.OfflinePlan> = "R";
export const Reply: Shape<contract.Reply> = "Z";
export const SavedAnswers: Shape<Pick<contract.SavedAnswers, "values">> = "Ca";
export const Setter: Shape<contract.Setter> = "Fa";
export const Settings: Shape<Pick<contract.Settings, "saved" | "values">> = "Ha";
export const Verdict: Shape<Pick<contract.Verdict, "next" | "undo_seconds">> = "Ka";
export const VolumeIndex: Shape<contract.VolumeIndex> = "La";

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
  E: "id author text created_at:s ijk:?3i round:i state:=open/resolved/reopened edited_at:?s replies:[Z",
  // Condition
  F: "question:s in:[sb",
  // Context
  G:
    "id reason user:s stage:=annotation/review/arbitration " +
    "state:=queued/open/submitted/approved/returned/blocked/skipped/reclaimed round offline_days:i batch:B " +
    "campaign:C scan:Da prior:?W schema:M masks:{P overlays:[U probability:?X interactive:?J answers:A comments:[E " +
    "comments_seen lease_until previous next:?s review:?Aa signature:Ia seen:Ja can:V interlocks:[K settings:Ha",
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
  M: "layers:[N questions:[Y",
  // Layer
  N: "name title:s editable:b limit:=/lungs segments:[Ea",
  // ListedRevision
  O: "id model created_at:s kind:=draft/correction/prediction/consensus/import author:?s tools counts change:{i",
  // MaskSource
  P: "head:?s start source url:s",
  // OfflineLoad
  Q: "until:s scans:[S",
  // OfflinePlan
  R: "scans:[S bytes days:i",
  // OfflineScan
  S: "assignment code view:s bytes:i",
  // Option
  T: "value label:s means:=/infection/no_infection",
  // Overlay
  U: "key title layer revision url:s",
  // Permissions
  V: "edit submit skip block approve correct return comment:b",
  // Prior
  W: "scan code description volume:s mask:?s",
  // Probability
  X: "url layer model:s bytes:i shape_zyx step_zyx:3i segment:?i",
  // Question
  Y:
    "key text unit:s kind:=choice/choices/boolean/number/text required:b options:[T min max:?n decimals " +
    "max_length:i shown_when:?F",
  // Reply
  Z: "id author text created_at:s edited_at:?s",
  // ReviewOfContext
  Aa:
    "id author:s round:i state:=pending/claimed/approved/corrected/returned/arbitration/withdrawn/taken_back " +
    "answers:{* submitted:{s looked_at reasons:[s",
  // Revision
  Ba: "id model created_at:s kind:=draft/correction/prediction/consensus/import author:?s",
  // SavedAnswers
  Ca: "values:{*",
  // ScanOfContext
  Da: "id code site modality description volume:s shape_zyx:?3i spacing_mm_zyx:?3n index:?La",
  // Segment
  Ea: "id:i key name colour:s infectious:b",
  // Setter
  Fa: "value:i revision:?Ba strokes:[Ga",
  // SettingStroke
  Ga: "id tool at:?s segment:?i",
  // Settings
  Ha: "saved:i values:{*",
  // Signature
  Ia: "meaning:s policy:=always/recent/log_in minutes:i",
  // SlicesSeen
  Ja: "slices:s enough:n policy:=off/warn/block",
  // Verdict
  Ka: "next:?s undo_seconds:i",
  // VolumeIndex
  La:
    "version:i scan modality seal:s shape_zyx:3i spacing_mm_zyx:3n lps_from_ijk:44n pack:Na preview:Oa limit:?Ma " +
    "hu_range:2i",
  // VolumeLimit
  Ma: "url:s bytes background_hu:i",
  // VolumePack
  Na: "url sha256:s bytes:i codec:=htj2k dtype:=int16/uint16 slices:[2i sums:?s",
  // VolumePreview
  Oa: "url:s bytes hu_lo hu_step:i shape_zyx step_zyx:3i codec:=gzip/htj2k lengths:[i",
};
