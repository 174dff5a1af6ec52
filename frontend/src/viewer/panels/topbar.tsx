/** Where am I, is it saved, what next. */

import { whyDamaged, whyNoSubmit } from "../work/checks";
import { useDesk } from "../desk/desk";
import { judges } from "../../ground/context";
import { msg, t } from "../../ground/language";
import { figure } from "../../ground/words";
import { Button, Kbd } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";
import { Saved } from "./saving";

const STATES: Readonly<Record<string, readonly [string, string, IconName]>> = {
  queued: [msg("Not started"), "st-queued", "clock"],
  open: [msg("Open"), "st-open", "circle-play"],
  submitted: [msg("Submitted"), "st-submitted", "send"],
  returned: [msg("Returned"), "st-returned", "corner-up-left"],
  approved: [msg("Approved"), "st-approved", "circle-check"],
  skipped: [msg("Skipped"), "st-skipped", "skip-forward"],
  blocked: [msg("Blocked"), "st-blocked", "ban"],
  in_review: [msg("In review"), "st-in-review", "eye"],
  reclaimed: [msg("Reclaimed"), "st-queued", "clock"],
};

export function Topbar() {
  const { context } = useDesk().session;
  const reviewing = judges(context);
  return (
    <header class="topbar vb">
      <a class="brand" href="/" aria-label={t("Voxloop, start page")} title={t("Start page")}>
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 2.8 20 7.4v9.2l-8 4.6-8-4.6V7.4z" />
          <path d="M12 12 20 7.4M12 12v9.2M12 12 4 7.4" />
        </svg>
      </a>
      <a class="btn btn-ghost mywork" href={reviewing ? "/reviews/" : "/worklist/"}>
        <Icon name="chevron-left" />
        {reviewing ? t("Reviews") : t("My work")}
      </a>
      <span class="vline" />
      <Neighbours />
      <Facts />
      <StateTag />
      <span class="grow" />
      <Saved />
      <span class="vline" />
      <GiveBack />
      <Verdict />
      <Submit />
    </header>
  );
}

/** The scan before and the one after, and which one this is. */
function Neighbours() {
  const { context } = useDesk().session;
  const { batch } = context;
  const go = (url: string | null) => {
    if (url) location.assign(url);
  };
  return (
    <div class="row">
      <Button
        icon="chevron-left"
        label={t("Previous scan")}
        testid="previous-scan"
        disabled={!context.previous}
        onClick={() => go(context.previous)}
      />
      <h1 class="place">
        {context.stage === "review"
          ? t("Review")
          : context.stage === "arbitration"
            ? t("Arbitration")
            : t("Scan {n} of {size}", { n: batch.position, size: batch.size })}
      </h1>
      <Button
        icon="chevron-right"
        label={t("Next scan")}
        testid="next-scan"
        disabled={!context.next}
        onClick={() => go(context.next)}
      />
    </div>
  );
}

function Facts() {
  const { context } = useDesk().session;
  const { scan, batch } = context;
  const [depth] = scan.shape_zyx;
  return (
    <div class="facts">
      <b data-testid="scan-code">{scan.code}</b>
      <span>{t("Site {site}", { site: scan.site })}</span>
      <span class="clip" title={scan.description}>
        {scan.description}
      </span>
      <span>{depth > 1 ? `${depth} × ${figure(scan.spacing_mm_zyx[0])} mm` : t("1 image")}</span>
      <span class="clip">
        {context.stage === "certification" ? t("Certification") : t("Batch {name}", { name: batch.name })}
      </span>
      {context.review && context.stage === "review" && (
        <span>{t("by {author}", { author: context.review.author })}</span>
      )}
    </div>
  );
}

/** The ways to give the scan back undone. */
function GiveBack() {
  const { session, work } = useDesk();
  const { can } = session.context;
  return (
    <>
      {can.skip && (
        <Button
          icon="skip-forward"
          kind="btn-ghost"
          testid="skip"
          title={t("Skip this scan with a reason")}
          onClick={() => {
            work.ask({ kind: "skip" });
          }}
        >
          {t("Skip")}
        </Button>
      )}
      {can.block && (
        <Button
          icon="ban"
          kind="btn-ghost"
          testid="block"
          title={t("Block this scan: something is wrong with it")}
          onClick={() => {
            work.ask({ kind: "block" });
          }}
        >
          {t("Block")}
        </Button>
      )}
    </>
  );
}

/** What a reviewer decides. */
function Verdict() {
  const desk = useDesk();
  const { session, work } = desk;
  const { can } = session.context;
  const hindrance = work.verdicts.hindrance;
  if (work.left) return null;
  const decides = session.context.stage === "arbitration";
  return (
    <>
      {can.return && (
        <Button
          icon="corner-up-left"
          testid="return"
          title={t("Return with the comments")}
          keys="R"
          disabled={!!work.busy.value}
          onClick={() => desk.askReturn()}
        >
          {t("Return")}
          {work.talk.drafts.value.length > 0 && <span class="count">{work.talk.drafts.value.length}</span>}{" "}
          <Kbd keys="R" />
        </Button>
      )}
      {can.approve && (
        <Button
          kind="btn-primary"
          testid="approve"
          keys="A"
          title={
            hindrance ??
            (decides
              ? t("Decide on this mask")
              : desk.corrected
                ? t("Approve with your corrections")
                : t("Approve the mask as it is"))
          }
          disabled={!!work.busy.value || hindrance !== null}
          onClick={() => desk.askApproval()}
        >
          {decides ? t("Decide") : desk.corrected ? t("Correct and approve") : t("Approve")} <Kbd keys="A" />
        </Button>
      )}
    </>
  );
}

function Submit() {
  const { session, work, attention } = useDesk();
  const noSubmit = whyNoSubmit(session.save.value) ?? whyDamaged(session.lostSlices.value);
  if (!session.context.can.submit) return null;
  return (
    <Button
      kind="btn-primary"
      testid="submit"
      element={attention.ref("submit")}
      title={noSubmit ?? t("Submit")}
      keys="Ctrl+Enter"
      disabled={!!work.busy.value || noSubmit !== null}
      onClick={() => void work.submit()}
    >
      {work.busy.value ?? t("Submit")} <Kbd keys="Ctrl+Enter" />
    </Button>
  );
}

function StateTag() {
  const {
    session: { context },
    work,
  } = useDesk();
  const returned = context.stage === "annotation" && context.round > 1 && context.state === "open";
  const reviewing = judges(context) && context.state === "open";
  const state = work.verdict.value ?? (returned ? "returned" : reviewing ? "in_review" : context.state);
  const [words, style, icon] = STATES[state] ?? [state, "st-queued", "clock" as const];
  return (
    <span class={`state ${style}`} data-testid="state" title={context.reason || undefined}>
      <Icon name={icon} />
      {t(words)}
      {context.round > 1 ? `, ${t("round {n}", { n: context.round })}` : ""}
    </span>
  );
}
