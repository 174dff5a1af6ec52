/**
 * What the server is asked and answers. Made of `docs/openapi.yaml` by `python3 manage.py contract`: never edited.
 */

/** A person's account. */
export interface Account {
  readonly id: string;
  readonly username: string;
  readonly is_active: boolean;
}

/** The valid answers, and the URL to save them. */
export interface Answers {
  readonly values: Readonly<Record<string, unknown>>;
  readonly url: string;
}

export interface AnswersRequest {
  readonly values: Readonly<Record<string, unknown>>;
}

export interface AssignBatchRequest {
  readonly assignee: string | null;
  /** the last so many unstarted scans; null: all */
  readonly count?: number | null;
}

export interface Assignment {
  readonly id: string;
  readonly campaign: string;
  readonly batch: string;
  readonly batch_name: string;
  readonly scan: string;
  readonly scan_id: string;
  readonly site: string;
  readonly stage: "annotation" | "review" | "arbitration" | "certification" | "planted";
  readonly state: "queued" | "open" | "submitted" | "approved" | "returned" | "blocked" | "skipped" | "reclaimed";
  readonly reason: string;
  readonly round: number;
  readonly position: number;
  readonly person: string | null;
  readonly starts_from: "blank" | "prediction" | "submission" | "";
  readonly lease_until: string | null;
  readonly active_seconds: number;
  readonly opened_at: string | null;
  readonly submitted_at: string | null;
  readonly view: string;
}

export interface Batch {
  readonly id: string;
  readonly campaign: string;
  readonly number: number;
  readonly name: string;
  readonly state:
    | "draft"
    | "published"
    | "in_progress"
    | "submitted"
    | "in_review"
    | "returned"
    | "accepted"
    | "closed"
    | "cancelled";
  readonly assignee: string | null;
  readonly due_on: string | null;
  readonly chosen_by: string;
  readonly scans: number;
  readonly created_at: string;
  readonly published_at: string | null;
}

/** Why each scan of a batch was chosen, and what the batch is made of: scans by a name. */
export interface BatchChoice {
  readonly repeats: number;
  readonly by_site: Readonly<Record<string, number>>;
  readonly by_finding: Readonly<Record<string, number>>;
  readonly by_extent: Readonly<Record<string, number>>;
  readonly by_why: Readonly<Record<string, number>>;
  readonly scans: readonly Choice[];
}

/** The batch of an assignment; `position` of `size` scans. 1 of 1 for whoever judges. */
export interface BatchOfContext {
  readonly id: string;
  readonly name: string;
  readonly position: number;
  readonly size: number;
  readonly due_on: string | null;
}

/** The end of the lease, and the person's total active time. */
export interface Beat {
  readonly lease_until: string | null;
  readonly active_seconds: number;
}

export interface BeatRequest {
  /** active for so long until now */
  readonly active_seconds?: number;
  /** active periods: from and to, in seconds before now; reported twice they count once */
  readonly periods?: readonly (readonly [number, number])[];
  /** axial slices seen: a bit each, lowest first, as base64 */
  readonly slices?: string;
  /** lesions visited, and all */
  readonly lesions?: readonly [number, number];
}

export interface BringRequest {
  /** a zip, as docs/ml-contract.md says */
  readonly file: string;
  /** slug of the campaign */
  readonly campaign: string;
}

/** How many untouched scans went back. */
export interface BroughtBack {
  readonly given_back: number;
}

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly batch_size: number;
  readonly is_paused: boolean;
  readonly retrain_after: number;
  readonly retrain_every_days: number;
  readonly train_start: "scratch" | "champion";
  readonly promotes_by_itself: boolean;
  readonly my_roles: readonly string[];
}

/** The campaign of an assignment. */
export interface CampaignOfContext {
  readonly id: string;
  readonly name: string;
}

/** The names of all differences that this reviewer has checked, each `true`. */
export interface Checks {
  readonly values: Readonly<Record<string, boolean>>;
}

export interface Choice {
  readonly assignment: string;
  readonly scan: string;
  readonly site: string;
  /** empty for what was chosen before this was kept */
  readonly why: string;
  readonly sentence: string;
  readonly strategy: string | null;
  readonly model: string | null;
  readonly uncertainty: number | null;
  /** share of the scans chosen from of which the model was surer */
  readonly surer: number | null;
  readonly extent_ml: number | null;
  readonly finding: string | null;
}

export interface ClaimRequest {
  readonly stage?: "annotation" | "review";
  readonly campaign?: string | null;
}

/** A closed account, and how many scans went back to others. */
export interface ClosedAccount {
  readonly id: string;
  readonly username: string;
  readonly is_active: boolean;
  readonly given_back: number;
}

/** A remark pinned to a voxel, or to the scan as a whole, with its replies. */
export interface Comment {
  readonly id: string;
  readonly author: string;
  readonly text: string;
  readonly ijk: readonly [number, number, number] | null;
  readonly round: number;
  readonly state: "open" | "resolved" | "reopened";
  readonly created_at: string;
  readonly edited_at: string | null;
  readonly replies: readonly Reply[];
}

export interface CommentRequest {
  readonly text: string;
  readonly id?: string | null;
  readonly ijk?: readonly [number, number, number] | null;
}

/** The comments of a round. */
export interface Comments {
  readonly results: readonly Comment[];
}

/** Everything that changed since another release of the campaign, by code of the scan. */
export interface Comparison {
  readonly before: string;
  readonly after: string;
  readonly unchanged: number;
  readonly scans: readonly ScanChange[];
}

/** Asked only when an earlier question that is asked has one of these answers. */
export interface Condition {
  readonly question: string;
  readonly in: readonly (string | boolean)[];
}

/**
 * Everything the viewer needs besides voxels; `/view/<id>/` embeds the same. `masks` holds every editable layer,
 * and read-only layers with a mask. `comments_seen`: until when this person has read the comments. `review` is
 * null outside a review, `feedback` until a scan of a certification is handed in. `proposed_policy`: what is done
 * about undecided lesions of the model. `offline_days`: the longest time scans may be kept in a browser; 0: not at
 * all. `previous` and `next` are URLs of pages.
 */
export interface Context {
  readonly id: string;
  readonly stage: "annotation" | "review" | "arbitration" | "certification" | "planted";
  readonly state: "queued" | "open" | "submitted" | "approved" | "returned" | "blocked" | "skipped" | "reclaimed";
  readonly round: number;
  readonly reason: string;
  readonly batch: BatchOfContext;
  readonly campaign: CampaignOfContext;
  readonly scan: ScanOfContext;
  readonly prior: Prior | null;
  readonly schema: LabelSchema;
  readonly masks: Readonly<Record<string, MaskSource>>;
  readonly overlays: readonly Overlay[];
  readonly probability: Probability | null;
  readonly interactive: Interactive | null;
  readonly answers: Answers;
  readonly marks: MarksOfContext;
  readonly comments: readonly Comment[];
  readonly comments_seen: string | null;
  readonly review: ReviewOfContext | null;
  readonly feedback: Feedback | null;
  readonly signature: Signature;
  readonly seen: SlicesSeen;
  readonly proposed_policy: "off" | "warn" | "block";
  readonly can: Permissions;
  readonly interlocks: readonly Interlock[];
  readonly lease_until: string | null;
  readonly pauses: readonly Pause[];
  readonly previous: string | null;
  readonly next: string | null;
  readonly user: string;
  readonly offline_days: number;
  readonly settings: Settings;
}

export interface CredentialsRequest {
  readonly username: string;
  readonly password: string;
  readonly code?: string;
  readonly name?: string;
  readonly scopes?: readonly ("read" | "work" | "manage")[];
  readonly days?: number;
}

export interface DaysRequest {
  readonly days: number;
}

export interface DestinationRequest {
  /** a name of VOXLOOP_REPORT_PEERS */
  readonly destination: string;
}

/** What one approved scan took, against the mask that `model` had of it. */
export interface Effort {
  readonly assignment: string;
  readonly campaign: string;
  readonly scan: string;
  readonly site: string;
  readonly arm: "shown" | "older" | "blank" | "none" | "imported" | "repeat";
  readonly model: string | null;
  readonly active_seconds: number;
  readonly strokes: number;
  readonly drawn_ml: number;
  readonly predicted_ml: number | null;
  readonly added_ml: number | null;
  readonly removed_ml: number | null;
  readonly repeat_dice: number | null;
  readonly submitted_at: string;
  readonly measured_at: string;
}

export interface Erased {
  readonly subject: string;
  readonly scans: readonly string[];
}

export interface ErasureLine {
  readonly what: string;
  readonly count: number;
  readonly fate: "erased" | "kept" | "marked";
  readonly why: string;
}

export interface ErasureOrderRequest {
  readonly reason: string;
  /** the subject's code, as in the plan */
  readonly confirmation: string;
}

export interface ErasurePlan {
  readonly subject: string;
  readonly scans: readonly string[];
  readonly plan: readonly ErasureLine[];
}

/**
 * `destination` is "" for the server's own folder. `bytes` and `file_count` of a complete one; then `download` is
 * the path of its zip, or `links` that of the links to its files in a bucket.
 */
export interface Export {
  readonly id: string;
  readonly release: string;
  readonly destination: string;
  readonly formats: readonly string[];
  readonly part: ExportPart | null;
  readonly seal: string;
  readonly bytes: number;
  readonly file_count: number | null;
  readonly download: string | null;
  readonly links: string | null;
  readonly job: string | null;
  readonly created_at: string;
}

/** The sides and sites of a partial export; an empty list: all. */
export interface ExportPart {
  readonly sides: readonly string[];
  readonly sites: readonly string[];
}

/**
 * How a mask of a certification compares with the reference. The attempt is passed when the mean `dice` of its
 * `scans` reaches `pass_dice`; `mean_dice` is of the `measured` ones so far. `next`: its next scan's page.
 */
export interface Feedback {
  readonly dice: number;
  readonly surface_dice: number;
  readonly tolerance_mm: number;
  readonly too_much_ml: number;
  readonly missed_ml: number;
  readonly gold_ml: number;
  readonly attempt: number;
  readonly state: "working" | "passed" | "failed" | "cancelled";
  readonly pass_dice: number;
  readonly mean_dice: number;
  readonly measured: number;
  readonly scans: number;
  readonly next: string | null;
}

/**
 * Which scans a release includes; null: all. `segments` are `layer/key`, any drawn; `least_agreement` is the mean
 * Dice of the readings of a scan, which leaves out scans that were read once.
 */
export interface Filters {
  readonly sites: readonly string[] | null;
  readonly sides: readonly string[] | null;
  readonly segments: readonly string[] | null;
  readonly thickest_mm: number | null;
  readonly approved_from: string | null;
  readonly approved_until: string | null;
  readonly least_agreement: number | null;
}

/**
 * A label of a mask file: `value` there, voxels on the scan, and the key of the segment suggested for it, or
 * empty.
 */
export interface FoundLabel {
  readonly name: string;
  readonly value: number;
  readonly voxels: number;
  readonly suggested: string;
}

/** What a mask file holds; nothing of it is stored. `software` is empty where it is not told. */
export interface FoundMask {
  readonly format: string;
  readonly software: string;
  readonly resampled: boolean;
  readonly labels: readonly FoundLabel[];
}

/**
 * The review round of the submission (null: a scan of a certification), and the page of the next task; of a
 * certification that of the same scan, with the feedback.
 */
export interface HandedIn {
  readonly state: "queued" | "open" | "submitted" | "approved" | "returned" | "blocked" | "skipped" | "reclaimed";
  readonly review: string | null;
  readonly next: string | null;
}

/** The revisions of one layer, newest first, at most 2000. */
export interface History {
  readonly layer: string;
  readonly revisions: readonly ListedRevision[];
}

/** An interactive segmentation server that the operator has set up, and under which licence it may be used. */
export interface Interactive {
  readonly name: string;
  readonly licence: string;
}

/** One problem. One that is not `blocking` can be acknowledged. */
export interface Interlock {
  readonly code: string;
  readonly message: string;
  readonly blocking: boolean;
  readonly jump: Jump;
}

export interface Job {
  readonly id: string;
  readonly kind:
    | "import_scans"
    | "train"
    | "preannotate"
    | "bring_model"
    | "export_model"
    | "choose_scans"
    | "judge_scans"
    | "export_release"
    | "measure_scans"
    | "report_batch"
    | "send_reports"
    | "send_notices"
    | "scrub"
    | "collect_unreferenced"
    | "verify_log";
  readonly state: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "lost";
  readonly progress: number;
  readonly message: string;
  readonly result: unknown;
  readonly error_code: string;
  readonly error: string;
  readonly attempt: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

/** Location of a problem: a question, a layer, or a voxel of the scan. */
export interface Jump {
  readonly question?: string | null;
  readonly layer?: string;
  readonly ijk?: readonly [number, number, number] | null;
}

/** The label schema of a campaign. */
export interface LabelSchema {
  readonly layers: readonly Layer[];
  readonly questions: readonly Question[];
}

/** One labelmap of a scan. `limit`: the region in which its marks are expected. */
export interface Layer {
  readonly name: string;
  readonly title: string;
  readonly editable: boolean;
  readonly limit: "" | "lungs";
  readonly segments: readonly Segment[];
}

export interface Link {
  readonly path: string;
  readonly bytes: number;
  readonly url: string;
}

/**
 * Links to the files of a release in a bucket. Whoever has one can read the file until `expires_at`; `aws` is a
 * command for those who have credentials of their own.
 */
export interface Links {
  /** the folder of the release */
  readonly name: string;
  readonly files: readonly Link[];
  readonly expires_at: string;
  readonly aws: string;
}

/** A revision in the history: strokes per tool, voxels by segment id, and the change from the previous one. */
export interface ListedRevision {
  readonly id: string;
  readonly kind: "draft" | "correction" | "prediction" | "consensus" | "import";
  readonly author: string | null;
  readonly model: string;
  readonly created_at: string;
  readonly source: string;
  readonly tools: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly change: Readonly<Record<string, number>>;
}

/**
 * What was measured: a length from `start` to `end`, or a shape between these corners on slice `index` of `plane`
 * (null for a length); continuous voxel positions (i, j, k).
 */
export interface Mark {
  readonly kind: "length" | "ellipse" | "rectangle";
  readonly plane: "axial" | "coronal" | "sagittal" | null;
  readonly index: number | null;
  readonly start: readonly [number, number, number];
  readonly end: readonly [number, number, number];
}

export interface MarkRequest {
  readonly kind: "length" | "ellipse" | "rectangle";
  readonly plane?: "axial" | "coronal" | "sagittal" | null;
  readonly index?: number | null;
  readonly start: readonly [number, number, number];
  readonly end: readonly [number, number, number];
}

/** All marks of the assignment, by their ids. */
export interface Marks {
  readonly values: Readonly<Record<string, Mark>>;
}

/**
 * What this person has measured, by id, and the URL to keep it; `others`: what the author measured, for a judge,
 * and what the judge measured, for whose work came back.
 */
export interface MarksOfContext {
  readonly own: Readonly<Record<string, Mark>>;
  readonly others: readonly Mark[];
  readonly url: string;
}

/** The shown mask of one layer. For a mask that does not exist yet `etag` is `empty` and most else null. */
export interface Mask {
  readonly id: string | null;
  readonly etag: string;
  readonly layer: string;
  readonly kind: "draft" | "correction" | "prediction" | "consensus" | "import" | null;
  readonly author: string | null;
  readonly created_at: string | null;
  readonly content_hash: string | null;
  readonly voxel_counts: Readonly<Record<string, number>>;
  readonly chunks: readonly (readonly [number, number, number, string])[];
}

/**
 * Where the mask of a layer is read and saved. `source`: the model that made a read-only one, or empty. `start`:
 * blank, prediction, returned, submission; for a read-only layer import or prediction.
 */
export interface MaskSource {
  readonly head: string | null;
  readonly start: string;
  readonly source: string;
  readonly url: string;
}

/** Who the caller is; `sites` are codes. */
export interface Me {
  readonly id: string;
  readonly username: string;
  readonly is_administrator: boolean;
  readonly roles: readonly Role[];
  readonly sites: readonly string[];
  readonly preferences: Readonly<Record<string, unknown>>;
}

/**
 * The quantities of an approved mask, with the revisions that they come from. `model_values` are those of the
 * model's newest mask of the scan, in the same lungs.
 */
export interface Measurement {
  readonly id: string;
  readonly scan: string;
  readonly code: string;
  readonly site: string;
  readonly campaign: string;
  readonly round: string;
  readonly layer: string;
  readonly revision: string | null;
  readonly content_hash: string;
  readonly anatomy: string | null;
  readonly values: Quantities;
  readonly prediction: string | null;
  readonly model: string | null;
  readonly model_values: Quantities | null;
  readonly software: string;
  readonly measured_at: string;
}

/** `portable` and `download` once the model was packed. */
export interface Model {
  readonly id: string;
  readonly campaign: string;
  readonly number: number;
  readonly state: "candidate" | "undecided" | "champion" | "replaced" | "rejected";
  readonly run: string;
  readonly metrics: unknown;
  readonly created_at: string;
  readonly promoted_at: string | null;
  readonly replaced_at: string | null;
  /** Scans it learned from that were withdrawn or erased since, by state. */
  readonly learned_from_ended: Readonly<Record<string, number>>;
  readonly portable: Portable | null;
  readonly download: string | null;
}

export interface NewBatchRequest {
  readonly campaign: string;
  readonly size?: number | null;
  /** `score` is short for `hybrid` */
  readonly choose?: "hybrid" | "entropy" | "foreground_random" | "random" | "order" | "hand" | "score";
  readonly scans?: readonly string[] | null;
  readonly assignee?: string | null;
  readonly due_on?: string | null;
  readonly publish?: boolean;
  /** leave what others drew before */
  readonly starts_anew?: boolean;
}

export interface NewExportRequest {
  readonly destination?: string;
  /**
   * Besides NIfTI and DICOM SEG, which every export holds: nifti_original, bids, nnunet, dicom_seg_labelmap, dicom,
   * dicom_sr, rtstruct, coco, tables, paper.
   */
  readonly formats?: readonly string[];
  /** Of a partial export. */
  readonly sides?: readonly string[];
  /** Of a partial export. */
  readonly sites?: readonly string[];
}

/** A draft, with its filters. */
export interface NewReleaseRequest {
  readonly sites?: readonly string[] | null;
  readonly sides?: readonly string[] | null;
  readonly segments?: readonly string[] | null;
  readonly thickest_mm?: number | null;
  readonly approved_from?: string | null;
  readonly approved_until?: string | null;
  readonly least_agreement?: number | null;
  readonly campaign: string;
  readonly name: string;
  readonly notes?: string;
  /** An SPDX identifier such as CC-BY-4.0, or a text. */
  readonly licence?: string;
}

export interface NewRunRequest {
  readonly campaign: string;
}

/** Scans taken offline, and the end of their leases. */
export interface OfflineLoad {
  readonly until: string;
  readonly scans: readonly OfflineScan[];
  readonly bytes: number;
}

/** Which scans of a batch can be taken offline, and for how many days at most; 0: not allowed. */
export interface OfflinePlan {
  readonly scans: readonly OfflineScan[];
  readonly bytes: number;
  readonly days: number;
}

/** A scan that the caller may take offline; `bytes` of its volume. */
export interface OfflineScan {
  readonly assignment: string;
  readonly code: string;
  readonly view: string;
  readonly bytes: number;
}

/** An answer to choose. `means` ties it to the mask: "infection", "no_infection" or nothing. */
export interface Option {
  readonly value: string;
  readonly label: string;
  readonly means: "" | "infection" | "no_infection";
}

/**
 * A mask to compare with one's own: `prediction`, `author`, `previous` (the previous round), `reader-<n>`,
 * `correction` (made after the mask: by a reviewer, or the reference of a certification), `consensus-<rule>`.
 */
export interface Overlay {
  readonly key: string;
  readonly title: string;
  readonly layer: string;
  readonly revision: string;
  readonly url: string;
}

export interface PaginatedAssignmentList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Assignment[];
}

export interface PaginatedBatchList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Batch[];
}

export interface PaginatedCampaignList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Campaign[];
}

export interface PaginatedEffortList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Effort[];
}

export interface PaginatedJobList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Job[];
}

export interface PaginatedMeasurementList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Measurement[];
}

export interface PaginatedModelList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Model[];
}

export interface PaginatedReleaseList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Release[];
}

export interface PaginatedReviewList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Review[];
}

export interface PaginatedRunList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Run[];
}

export interface PaginatedScanList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Scan[];
}

export interface PaginatedSiteList {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly Site[];
}

/** A side, lobe or third of the lungs; `grade` 0-5 of a lobe. */
export interface Part {
  readonly key: string;
  readonly lung: number;
  readonly opacity: number;
  readonly percent: number;
  readonly grade: number | null;
}

export interface PatchedAnswersRequest {
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface PatchedChecksRequest {
  readonly values?: Readonly<Record<string, boolean | null>>;
}

export interface PatchedMarksRequest {
  /** by the id that the client made */
  readonly values?: Readonly<Record<string, MarkRequest | null>>;
}

export interface PatchedSettingsRequest {
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface PatchedTextRequest {
  readonly text?: string;
}

/** What is paused, why, and since when; null where that is not known. */
export interface Pause {
  readonly what: string;
  readonly why: string;
  readonly since: string | null;
}

/** Whether something is paused; `since` is null where it is not, or not known. */
export interface PauseState {
  readonly is_paused: boolean;
  readonly reason: string;
  readonly since: string | null;
}

/** What this person may do here now. */
export interface Permissions {
  readonly edit: boolean;
  readonly submit: boolean;
  readonly skip: boolean;
  readonly block: boolean;
  readonly approve: boolean;
  readonly correct: boolean;
  readonly return: boolean;
  readonly comment: boolean;
}

/**
 * The zip of a model's folder. `onnx_difference` is the largest difference of a probability between ONNX and torch;
 * null for a model that came as ONNX.
 */
export interface Portable {
  readonly bytes: number;
  readonly files: number;
  readonly onnx_difference: number | null;
  readonly made_at: string;
}

/**
 * Another ready scan of the subject that this person may see, the one that arrived last.
 *
 * Dates are removed, so the order of acquisition is unknown. `mask` is the URL of its approved mask; null where there
 * is none, where the person may not read it or still has work of their own on it.
 */
export interface Prior {
  readonly scan: string;
  readonly code: string;
  readonly description: string;
  readonly volume: string;
  readonly mask: string | null;
}

/** How sure the model of the shown prediction was; `segment` is what it learned, null: any finding of the layer. */
export interface Probability {
  readonly url: string;
  readonly bytes: number;
  readonly shape_zyx: readonly [number, number, number];
  readonly step_zyx: readonly [number, number, number];
  readonly layer: string;
  readonly model: string;
  readonly segment: number | null;
}

export interface PromoteRequest {
  readonly reason?: string;
}

export interface PromptsRequest {
  readonly layer?: string | null;
  readonly segment: number;
  readonly points?: readonly (readonly [number, number, number, number])[];
  readonly box?: readonly [number, number, number, number, number, number] | null;
}

/**
 * Amounts in `unit` (mL, or cm² on an X-ray, where weight and HU are null). `lungs_from` is lobes, lungs (a mask),
 * image, or empty: then `lungs` and `percent` are null. `score` 0-25 only with lobes.
 */
export interface Quantities {
  readonly unit: string;
  readonly lungs_from: string;
  readonly lungs: number | null;
  readonly opacity: number;
  readonly percent: number | null;
  readonly weight_g: number | null;
  readonly mean_hu: number | null;
  readonly lesions: number;
  readonly diameter_mm: number;
  readonly score: number | null;
  readonly severity: string | null;
  readonly parts: readonly Part[];
  readonly segments: readonly SegmentAmount[];
  /** voxels of the opacity in bins of 50 HU from -1000 to 200; the end bins hold what lies beyond */
  readonly histogram: readonly number[];
  /** k of the slice with most opacity */
  readonly worst_slice: number | null;
}

/** A question about the whole scan. A number lies within both bounds, in `unit`, with `decimals`. */
export interface Question {
  readonly key: string;
  readonly text: string;
  readonly kind: "choice" | "choices" | "boolean" | "number" | "text";
  readonly required: boolean;
  readonly options: readonly Option[];
  readonly unit: string;
  readonly min: number | null;
  readonly max: number | null;
  readonly decimals: number;
  readonly max_length: number;
  readonly shown_when: Condition | null;
}

export interface ReasonOfClosingRequest {
  readonly reason: string;
}

export interface ReasonOfWithdrawalRequest {
  readonly reason: string;
}

export interface ReasonRequest {
  readonly reason: string;
}

export interface ReclaimRequest {
  readonly reason: string;
  /** who gets the scan; null: the pool */
  readonly person?: string | null;
  /** leave what was drawn */
  readonly starts_anew?: boolean;
}

export interface Release {
  readonly id: string;
  readonly campaign: string;
  readonly name: string;
  readonly notes: string;
  readonly licence: string;
  readonly filters: Filters;
  readonly state: "draft" | "frozen" | "published" | "yanked";
  readonly manifest_hash: string;
  readonly created_by: string | null;
  readonly created_at: string;
  readonly frozen_at: string | null;
  /** Why it must not be used any more. */
  readonly yank_reason: string | null;
}

export interface ReleaseDetail {
  readonly id: string;
  readonly campaign: string;
  readonly name: string;
  readonly notes: string;
  readonly licence: string;
  readonly filters: Filters;
  readonly state: "draft" | "frozen" | "published" | "yanked";
  readonly manifest_hash: string;
  readonly created_by: string | null;
  readonly created_at: string;
  readonly frozen_at: string | null;
  /** Why it must not be used any more. */
  readonly yank_reason: string | null;
  /** Scans by side of the split and site. */
  readonly scans: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly exports: readonly Export[];
}

/** A reply to a comment. */
export interface Reply {
  readonly id: string;
  readonly author: string;
  readonly text: string;
  readonly created_at: string;
  readonly edited_at: string | null;
}

export interface ReplyRequest {
  readonly text: string;
  readonly id?: string | null;
}

/** The job that does it. */
export interface ReportJob {
  readonly job: string;
}

/** The reports of a batch as one zip; `bytes` is 0 until it is made. `left_out` scans have no quantities. */
export interface ReportSet {
  readonly id: string;
  readonly batch: string;
  readonly job: string | null;
  readonly bytes: number;
  readonly left_out: number;
  readonly created_at: string;
}

export interface ReturnRequest {
  readonly comments?: readonly CommentRequest[];
}

export interface Review {
  readonly id: string;
  readonly scan: string;
  readonly site: string;
  readonly batch: string;
  readonly author: string;
  readonly number: number;
  readonly state:
    | "pending"
    | "claimed"
    | "approved"
    | "corrected"
    | "returned"
    | "arbitration"
    | "withdrawn"
    | "taken_back";
  readonly reviewer: string | null;
  readonly risk: number | null;
  readonly reasons: readonly string[];
  readonly assignment: string | null;
  readonly created_at: string;
  readonly ended_at: string | null;
  /** number of differences marked as checked by the reviewer */
  readonly looked_at: number;
}

/**
 * The round that a context belongs to; `answers` and `submitted` (revisions by layer) are the author's.
 *
 * `looked_at`: the differences that this reviewer has checked. `reasons` of the risk are hidden from the mask's
 * author.
 */
export interface ReviewOfContext {
  readonly id: string;
  readonly author: string;
  readonly round: number;
  readonly state:
    | "pending"
    | "claimed"
    | "approved"
    | "corrected"
    | "returned"
    | "arbitration"
    | "withdrawn"
    | "taken_back";
  readonly answers: Readonly<Record<string, unknown>>;
  readonly submitted: Readonly<Record<string, string>>;
  readonly looked_at: readonly string[];
  readonly reasons: readonly string[];
}

/**
 * Summary of a revision: `author`, or the name of the model that made it. `source` tells the file of a mask from
 * elsewhere, else it is empty.
 */
export interface Revision {
  readonly id: string;
  readonly kind: "draft" | "correction" | "prediction" | "consensus" | "import";
  readonly author: string | null;
  readonly model: string;
  readonly created_at: string;
  readonly source: string;
}

/** A role in a campaign. */
export interface Role {
  readonly campaign: string;
  readonly role: "annotator" | "reviewer" | "arbitrator" | "coordinator" | "data_manager";
}

export interface Run {
  readonly id: string;
  readonly campaign: string;
  readonly number: number;
  readonly state:
    | "queued"
    | "running"
    | "evaluating"
    | "candidate"
    | "undecided"
    | "promoted"
    | "rejected"
    | "failed"
    | "cancelled"
    | "lost";
  readonly trigger: string;
  readonly profile: string;
  readonly seed: number;
  readonly manifest_hash: string;
  readonly progress: number;
  readonly message: string;
  readonly gate: unknown;
  readonly error: string;
  readonly model: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

export interface RunDetail {
  readonly id: string;
  readonly campaign: string;
  readonly number: number;
  readonly state:
    | "queued"
    | "running"
    | "evaluating"
    | "candidate"
    | "undecided"
    | "promoted"
    | "rejected"
    | "failed"
    | "cancelled"
    | "lost";
  readonly trigger: string;
  readonly profile: string;
  readonly seed: number;
  readonly manifest_hash: string;
  readonly progress: number;
  readonly message: string;
  readonly gate: unknown;
  readonly error: string;
  readonly model: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly manifest: unknown;
  readonly curves: unknown;
  readonly results: unknown;
}

export interface Saved {
  readonly revision: string;
  readonly parent: string | null;
  readonly kind: "draft" | "correction" | "prediction" | "consensus" | "import";
  readonly created_at: string;
  readonly content_hash: string;
  /** by segment id */
  readonly voxel_counts: Readonly<Record<string, number>>;
  /** number of strokes in this save */
  readonly strokes: number;
}

/** The valid answers, and since when. */
export interface SavedAnswers {
  readonly values: Readonly<Record<string, unknown>>;
  readonly saved_at: string;
}

export interface Scan {
  readonly id: string;
  readonly code: string;
  readonly site: string;
  readonly subject: string | null;
  readonly state: "received" | "screening" | "converting" | "ready" | "withdrawn" | "rejected" | "failed" | "erased";
  readonly reason_code: string;
  readonly reason: string;
  readonly modality: string;
  readonly description: string;
  /** null until it is ready */
  readonly shape_zyx: readonly [number, number, number] | null;
  readonly spacing_mm_zyx: readonly [number, number, number] | null;
  readonly volume: string | null;
  readonly created_at: string;
  readonly ready_at: string | null;
}

/** Who labelled and approved it in the later of the two releases that has it. A split is "" where it is not in. */
export interface ScanChange {
  readonly scan: string;
  readonly change: "in" | "out" | "changed";
  readonly site: string;
  readonly split_before: string;
  readonly split_after: string;
  readonly author: string;
  readonly reviewer: string;
  readonly round: number;
  readonly why: string;
  /** keys of the questions with another answer */
  readonly answers: readonly string[];
  readonly segments: readonly SegmentChange[];
}

export interface ScanMaskRequest {
  /** .nii.gz, .nii, .nrrd, .seg.nrrd, .mha or .dcm (SEG, RTSTRUCT) */
  readonly file: string;
  /** slug of the campaign whose label schema counts */
  readonly campaign: string;
  /** default: the first that is drawn */
  readonly layer?: string;
  /**
   * their=ours, once for each label: a name or value of the file and a segment's key; nothing after = leaves it out;
   * without any, the labels are listed and nothing is stored
   */
  readonly map?: readonly string[];
  /** take another grid, nearest neighbour */
  readonly resample?: boolean;
  /** least share of a FRACTIONAL one */
  readonly threshold?: number | null;
  /** although work has begun */
  readonly beside_work?: boolean;
}

/** The scan of an assignment. `index` is the content of `volume`; null while the scan is not ready. */
export interface ScanOfContext {
  readonly id: string;
  readonly code: string;
  readonly site: string;
  readonly modality: string;
  readonly description: string;
  readonly shape_zyx: readonly [number, number, number] | null;
  readonly spacing_mm_zyx: readonly [number, number, number] | null;
  readonly volume: string;
  readonly index: VolumeIndex | null;
}

export interface Seen {
  readonly until: string;
}

export interface SeenRequest {
  readonly until: string;
}

/** One kind of thing that is drawn; `id` is the value of its voxels, `colour` is `#rrggbb`. */
export interface Segment {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly colour: string;
  readonly infectious: boolean;
}

/** `largest` is the amount of the largest connected part, `diameter_mm` the longest line within any. */
export interface SegmentAmount {
  readonly segment: number;
  readonly voxels: number;
  readonly amount: number;
  readonly mean_hu: number | null;
  readonly lesions: number;
  readonly largest: number;
  readonly diameter_mm: number;
}

/** `before`, `after` and `delta` in `unit`: mL, or cm² on an X-ray. */
export interface SegmentChange {
  readonly layer: string;
  readonly segment: string;
  readonly before: number;
  readonly after: number;
  readonly delta: number;
  readonly unit: string;
  /** between the two versions of the mask */
  readonly dice: number | null;
}

/** The revision that gave a voxel its value, and its strokes that may have done so (if one: it did). */
export interface Setter {
  readonly value: number;
  readonly revision: Revision | null;
  readonly strokes: readonly SettingStroke[];
}

/** A stroke that may have set a voxel. */
export interface SettingStroke {
  readonly id: string | null;
  readonly tool: string | null;
  readonly segment: number | null;
  readonly at: string | null;
}

/** A person's viewer settings; `saved` counts the changes. */
export interface Settings {
  readonly version: number;
  readonly saved: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * How a verdict is signed: what it means, and when the password is asked for (`minutes` after it was entered
 * where the policy is `recent`).
 */
export interface Signature {
  readonly meaning: string;
  readonly policy: "always" | "recent" | "log_in";
  readonly minutes: number;
}

export interface SignatureRequest {
  readonly password?: string;
  readonly code?: string;
}

export interface Site {
  readonly id: string;
  readonly code: string;
  readonly name: string;
  readonly split: "train" | "validation" | "test";
}

/**
 * What of the scan this person has looked at: `slices` has a bit for each axial slice, lowest first, as base64.
 * `enough`: the share of slices that counts as looked at. `policy`: what is done about less.
 */
export interface SlicesSeen {
  readonly slices: string;
  readonly enough: number;
  readonly policy: "off" | "warn" | "block";
}

export interface SubmitRequest {
  readonly answers?: Readonly<Record<string, unknown>> | null;
  readonly acknowledged?: readonly string[];
  readonly comments?: readonly CommentRequest[];
}

/** A new token; its text is returned only here. */
export interface Token {
  readonly token: string;
  readonly expires_at: string | null;
  readonly user: string;
  readonly scopes: readonly ("read" | "work" | "manage")[];
}

export interface UploadRequest {
  readonly file: string;
  /** code of the site */
  readonly site: string;
  /** slug of the campaign */
  readonly campaign: string;
  /** why doubtful series are taken in: derived CT, X-rays as secondary captures, values unlike HU */
  readonly nevertheless?: string;
}

/**
 * The outcome of the round, and the page of the next round, which is claimed already. The verdict can be taken
 * back for `undo_seconds`.
 */
export interface Verdict {
  readonly state:
    | "pending"
    | "claimed"
    | "approved"
    | "corrected"
    | "returned"
    | "arbitration"
    | "withdrawn"
    | "taken_back";
  readonly next: string | null;
  readonly undo_seconds: number;
}

/** The index of a volume. `lps_from_ijk` is row-major; `seal` is the sha256 of all of it, without URLs. */
export interface VolumeIndex {
  readonly version: number;
  readonly scan: string;
  readonly modality: string;
  readonly shape_zyx: readonly [number, number, number];
  readonly spacing_mm_zyx: readonly [number, number, number];
  readonly lps_from_ijk: readonly [
    readonly [number, number, number, number],
    readonly [number, number, number, number],
    readonly [number, number, number, number],
    readonly [number, number, number, number],
  ];
  readonly pack: VolumePack;
  readonly preview: VolumePreview;
  readonly limit: VolumeLimit | null;
  readonly hu_range: readonly [number, number];
  readonly seal: string;
}

/** The lung limit of the growing brush as a mask message, layer `limit`, 1 = inside. */
export interface VolumeLimit {
  readonly url: string;
  readonly bytes: number;
  readonly background_hu: number;
}

/** One HTJ2K lossless codestream per slice: signed HU, or of a DX or CR one slice of uint16. */
export interface VolumePack {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly codec: "htj2k";
  readonly dtype: "int16" | "uint16";
  readonly slices: readonly (readonly [number, number])[];
  readonly sums: string | null;
}

/**
 * uint8 voxels, each the mean of a `step_zyx` block; `HU = hu_lo + value × hu_step`.
 *
 * `htj2k`: concatenated lossy codestreams, one per slice, `lengths` bytes each. `gzip`: raw voxels.
 */
export interface VolumePreview {
  readonly url: string;
  readonly bytes: number;
  readonly shape_zyx: readonly [number, number, number];
  readonly step_zyx: readonly [number, number, number];
  readonly hu_lo: number;
  readonly hu_step: number;
  readonly codec: "gzip" | "htj2k";
  readonly lengths: readonly number[];
}

export interface WhyPausedRequest {
  /** those concerned read it */
  readonly reason: string;
}

export interface YankRequest {
  readonly reason: string;
}

/** The newest revision of a line of work, in the refusal of an outdated save. */
export interface Head {
  readonly revision: string;
  readonly author: string | null;
  readonly created_at: string;
}

/** A refusal. Its extra members depend on its code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly interlocks?: readonly Interlock[];
  readonly head?: Head | null;
  /** what is wrong with which field of the body */
  readonly fields?: unknown;
  readonly question?: string;
  /** key of what is damaged */
  readonly object?: string;
  /** numbers of damaged slices */
  readonly parts?: readonly number[];
  readonly [name: string]: unknown;
}

/** What each call takes and answers; `undefined`: no body, `Uint8Array`: bytes. */
export interface Calls {
  "GET /api/v1/assignments/": {
    readonly body: undefined;
    readonly answer: PaginatedAssignmentList;
  };
  "GET /api/v1/assignments/{id}/": {
    readonly body: undefined;
    readonly answer: Context;
  };
  "PUT /api/v1/assignments/{id}/answers": {
    readonly body: AnswersRequest;
    readonly answer: SavedAnswers;
  };
  "PATCH /api/v1/assignments/{id}/answers": {
    readonly body: PatchedAnswersRequest;
    readonly answer: SavedAnswers;
  };
  "POST /api/v1/assignments/{id}/beat": {
    readonly body: BeatRequest;
    readonly answer: Beat;
  };
  "POST /api/v1/assignments/{id}/block": {
    readonly body: ReasonRequest;
    readonly answer: Assignment;
  };
  "GET /api/v1/assignments/{id}/history": {
    readonly body: undefined;
    readonly answer: History;
  };
  "PATCH /api/v1/assignments/{id}/marks": {
    readonly body: PatchedMarksRequest;
    readonly answer: Marks;
  };
  "GET /api/v1/assignments/{id}/mask": {
    readonly body: undefined;
    readonly answer: Mask | Uint8Array;
  };
  "PUT /api/v1/assignments/{id}/mask": {
    readonly body: Uint8Array;
    readonly answer: Saved | Uint8Array;
  };
  "POST /api/v1/assignments/{id}/open": {
    readonly body: undefined;
    readonly answer: Context;
  };
  "POST /api/v1/assignments/{id}/propose": {
    readonly body: PromptsRequest;
    readonly answer: Uint8Array;
  };
  "POST /api/v1/assignments/{id}/reclaim": {
    readonly body: ReclaimRequest;
    readonly answer: Assignment;
  };
  "POST /api/v1/assignments/{id}/release": {
    readonly body: undefined;
    readonly answer: Assignment;
  };
  "POST /api/v1/assignments/{id}/skip": {
    readonly body: ReasonRequest;
    readonly answer: Assignment;
  };
  "POST /api/v1/assignments/{id}/submit": {
    readonly body: SubmitRequest;
    readonly answer: HandedIn;
  };
  "POST /api/v1/assignments/{id}/take-back": {
    readonly body: undefined;
    readonly answer: Assignment;
  };
  "POST /api/v1/assignments/{id}/unblock": {
    readonly body: undefined;
    readonly answer: Assignment;
  };
  "GET /api/v1/assignments/{id}/voxel": {
    readonly body: undefined;
    readonly answer: Setter;
  };
  "POST /api/v1/assignments/claim": {
    readonly body: ClaimRequest;
    readonly answer: Assignment | undefined;
  };
  "POST /api/v1/auth/token": {
    readonly body: CredentialsRequest;
    readonly answer: Token;
  };
  "GET /api/v1/batches/": {
    readonly body: undefined;
    readonly answer: PaginatedBatchList;
  };
  "POST /api/v1/batches/": {
    readonly body: NewBatchRequest;
    readonly answer: Batch;
  };
  "POST /api/v1/batches/{id}/assign": {
    readonly body: AssignBatchRequest;
    readonly answer: Batch;
  };
  "POST /api/v1/batches/{id}/cancel": {
    readonly body: undefined;
    readonly answer: Batch;
  };
  "GET /api/v1/batches/{id}/choice": {
    readonly body: undefined;
    readonly answer: BatchChoice;
  };
  "POST /api/v1/batches/{id}/close": {
    readonly body: undefined;
    readonly answer: Batch;
  };
  "GET /api/v1/batches/{id}/offline": {
    readonly body: undefined;
    readonly answer: OfflinePlan;
  };
  "POST /api/v1/batches/{id}/offline": {
    readonly body: DaysRequest;
    readonly answer: OfflineLoad;
  };
  "DELETE /api/v1/batches/{id}/offline": {
    readonly body: undefined;
    readonly answer: BroughtBack;
  };
  "GET /api/v1/batches/{id}/pause": {
    readonly body: undefined;
    readonly answer: PauseState;
  };
  "POST /api/v1/batches/{id}/pause": {
    readonly body: WhyPausedRequest;
    readonly answer: PauseState;
  };
  "POST /api/v1/batches/{id}/publish": {
    readonly body: undefined;
    readonly answer: Batch;
  };
  "POST /api/v1/batches/{id}/reports": {
    readonly body: undefined;
    readonly answer: ReportSet;
  };
  "POST /api/v1/batches/{id}/resume": {
    readonly body: undefined;
    readonly answer: PauseState;
  };
  "GET /api/v1/campaigns/": {
    readonly body: undefined;
    readonly answer: PaginatedCampaignList;
  };
  "GET /api/v1/campaigns/{id}/pause": {
    readonly body: undefined;
    readonly answer: PauseState;
  };
  "POST /api/v1/campaigns/{id}/pause": {
    readonly body: WhyPausedRequest;
    readonly answer: PauseState;
  };
  "GET /api/v1/campaigns/{id}/people/{person}/pause": {
    readonly body: undefined;
    readonly answer: PauseState;
  };
  "POST /api/v1/campaigns/{id}/people/{person}/pause": {
    readonly body: WhyPausedRequest;
    readonly answer: PauseState;
  };
  "POST /api/v1/campaigns/{id}/people/{person}/resume": {
    readonly body: undefined;
    readonly answer: PauseState;
  };
  "POST /api/v1/campaigns/{id}/resume": {
    readonly body: undefined;
    readonly answer: PauseState;
  };
  "PATCH /api/v1/comments/{id}/": {
    readonly body: PatchedTextRequest;
    readonly answer: Comment;
  };
  "POST /api/v1/comments/{id}/reopen": {
    readonly body: undefined;
    readonly answer: Comment;
  };
  "POST /api/v1/comments/{id}/replies": {
    readonly body: ReplyRequest;
    readonly answer: Reply;
  };
  "POST /api/v1/comments/{id}/resolve": {
    readonly body: undefined;
    readonly answer: Comment;
  };
  "GET /api/v1/efforts/": {
    readonly body: undefined;
    readonly answer: PaginatedEffortList;
  };
  "GET /api/v1/exports/{id}/download": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "POST /api/v1/exports/{id}/links": {
    readonly body: undefined;
    readonly answer: Links;
  };
  "GET /api/v1/jobs/": {
    readonly body: undefined;
    readonly answer: PaginatedJobList;
  };
  "GET /api/v1/jobs/{id}/": {
    readonly body: undefined;
    readonly answer: Job;
  };
  "POST /api/v1/jobs/{id}/cancel": {
    readonly body: undefined;
    readonly answer: Job;
  };
  "GET /api/v1/me/": {
    readonly body: undefined;
    readonly answer: Me;
  };
  "GET /api/v1/me/settings": {
    readonly body: undefined;
    readonly answer: Settings;
  };
  "PATCH /api/v1/me/settings": {
    readonly body: PatchedSettingsRequest;
    readonly answer: Settings;
  };
  "GET /api/v1/models/": {
    readonly body: undefined;
    readonly answer: PaginatedModelList;
  };
  "GET /api/v1/models/{id}/download": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "POST /api/v1/models/{id}/pack": {
    readonly body: undefined;
    readonly answer: Job;
  };
  "POST /api/v1/models/{id}/promote": {
    readonly body: PromoteRequest;
    readonly answer: Model;
  };
  "POST /api/v1/models/{id}/reject": {
    readonly body: ReasonRequest;
    readonly answer: Model;
  };
  "POST /api/v1/models/{id}/roll-back": {
    readonly body: ReasonRequest;
    readonly answer: Model;
  };
  "POST /api/v1/models/bring": {
    readonly body: Uint8Array;
    readonly answer: Run;
  };
  "POST /api/v1/people/{id}/deactivate": {
    readonly body: ReasonOfClosingRequest;
    readonly answer: ClosedAccount;
  };
  "POST /api/v1/people/{id}/reactivate": {
    readonly body: undefined;
    readonly answer: Account;
  };
  "GET /api/v1/quantities/": {
    readonly body: undefined;
    readonly answer: PaginatedMeasurementList;
  };
  "GET /api/v1/quantities/{id}/report.dcm": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "GET /api/v1/quantities/{id}/report.pdf": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "POST /api/v1/quantities/{id}/send": {
    readonly body: DestinationRequest;
    readonly answer: ReportJob;
  };
  "GET /api/v1/releases/": {
    readonly body: undefined;
    readonly answer: PaginatedReleaseList;
  };
  "POST /api/v1/releases/": {
    readonly body: NewReleaseRequest;
    readonly answer: ReleaseDetail;
  };
  "GET /api/v1/releases/{id}/": {
    readonly body: undefined;
    readonly answer: ReleaseDetail;
  };
  "GET /api/v1/releases/{id}/changes": {
    readonly body: undefined;
    readonly answer: Comparison;
  };
  "POST /api/v1/releases/{id}/export": {
    readonly body: NewExportRequest;
    readonly answer: Export;
  };
  "POST /api/v1/releases/{id}/freeze": {
    readonly body: undefined;
    readonly answer: ReleaseDetail;
  };
  "POST /api/v1/releases/{id}/publish": {
    readonly body: undefined;
    readonly answer: ReleaseDetail;
  };
  "POST /api/v1/releases/{id}/yank": {
    readonly body: YankRequest;
    readonly answer: ReleaseDetail;
  };
  "PATCH /api/v1/replies/{id}/": {
    readonly body: PatchedTextRequest;
    readonly answer: Reply;
  };
  "GET /api/v1/report-sets/{id}/download": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "GET /api/v1/reviews/": {
    readonly body: undefined;
    readonly answer: PaginatedReviewList;
  };
  "GET /api/v1/reviews/{id}/": {
    readonly body: undefined;
    readonly answer: Review;
  };
  "POST /api/v1/reviews/{id}/approve": {
    readonly body: SignatureRequest;
    readonly answer: Verdict;
  };
  "PATCH /api/v1/reviews/{id}/checks": {
    readonly body: PatchedChecksRequest;
    readonly answer: Checks;
  };
  "POST /api/v1/reviews/{id}/claim": {
    readonly body: undefined;
    readonly answer: Review;
  };
  "GET /api/v1/reviews/{id}/comments": {
    readonly body: undefined;
    readonly answer: Comments;
  };
  "POST /api/v1/reviews/{id}/comments": {
    readonly body: CommentRequest;
    readonly answer: Comment;
  };
  "POST /api/v1/reviews/{id}/comments/seen": {
    readonly body: SeenRequest;
    readonly answer: Seen;
  };
  "POST /api/v1/reviews/{id}/correct": {
    readonly body: SignatureRequest;
    readonly answer: Verdict;
  };
  "POST /api/v1/reviews/{id}/give-back": {
    readonly body: undefined;
    readonly answer: Review;
  };
  "POST /api/v1/reviews/{id}/return": {
    readonly body: ReturnRequest;
    readonly answer: Verdict;
  };
  "POST /api/v1/reviews/{id}/take-back": {
    readonly body: undefined;
    readonly answer: Review;
  };
  "GET /api/v1/revisions/{id}/mask": {
    readonly body: undefined;
    readonly answer: Mask | Uint8Array;
  };
  "GET /api/v1/revisions/{id}/probability": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "GET /api/v1/scans/": {
    readonly body: undefined;
    readonly answer: PaginatedScanList;
  };
  "GET /api/v1/scans/{id}/": {
    readonly body: undefined;
    readonly answer: Scan;
  };
  "POST /api/v1/scans/{id}/masks": {
    readonly body: Uint8Array;
    readonly answer: FoundMask | Saved;
  };
  "GET /api/v1/scans/{id}/volume": {
    readonly body: undefined;
    readonly answer: VolumeIndex;
  };
  "GET /api/v1/scans/{id}/volume/limit": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "GET /api/v1/scans/{id}/volume/pack": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "GET /api/v1/scans/{id}/volume/preview": {
    readonly body: undefined;
    readonly answer: Uint8Array;
  };
  "POST /api/v1/scans/{id}/withdraw": {
    readonly body: ReasonOfWithdrawalRequest;
    readonly answer: Scan;
  };
  "POST /api/v1/scans/upload": {
    readonly body: Uint8Array;
    readonly answer: Job;
  };
  "GET /api/v1/sites/": {
    readonly body: undefined;
    readonly answer: PaginatedSiteList;
  };
  "GET /api/v1/subjects/{id}/erasure": {
    readonly body: undefined;
    readonly answer: ErasurePlan;
  };
  "POST /api/v1/subjects/{id}/erasure": {
    readonly body: ErasureOrderRequest;
    readonly answer: Erased;
  };
  "GET /api/v1/training-runs/": {
    readonly body: undefined;
    readonly answer: PaginatedRunList;
  };
  "POST /api/v1/training-runs/": {
    readonly body: NewRunRequest;
    readonly answer: Run;
  };
  "GET /api/v1/training-runs/{id}/": {
    readonly body: undefined;
    readonly answer: RunDetail;
  };
  "POST /api/v1/training-runs/{id}/cancel": {
    readonly body: undefined;
    readonly answer: Run;
  };
}
