/** What to do when the server or the browser does not take the work; its script comes once a scan can be looked at. */

import type { SaveState } from "../../editor/types";
import { whyDamaged } from "../work/checks";
import { useDesk } from "../desk/desk";
import { t, tn } from "../../ground/language";
import { ago, thin } from "../../ground/words";
import { Button } from "../controls/controls";
import { unsentOf } from "./saving";
import { Note, ReadOnlyNote } from "./savingnote";

/** What stays on the page until it is settled: over the right panel, so that it never lies on an image. */
export function SavingNotes() {
  const { session, work } = useDesk();
  const damaged = whyDamaged(session.lostSlices.value);
  return (
    <div class="hinders">
      {damaged && (
        <Note tone="bad" testid="damaged-slices">
          <span class="grow">{damaged}</span>
        </Note>
      )}
      <Paused />
      {work.signedOut.value && <SignedOut />}
      <Refused />
      {work.answersRefused.value !== null && <AnswersRefused why={work.answersRefused.value} />}
      <NotSent />
      <NotKept />
      <Conflict />
    </div>
  );
}

/** Why no new work comes, and what goes on nevertheless. */
function Paused() {
  const { session } = useDesk();
  const { pauses, can } = session.context;
  if (pauses.length === 0) return null;
  return (
    <Note tone="warn" icon="pause" testid="paused">
      <span class="grow">
        {pauses.map(({ what, why, since }) => (
          <p key={what} class="text">
            <b>{what}</b> {why} {since && <time dateTime={since}>{t("Paused {when}.", { when: ago(since) })}</time>}
          </p>
        ))}
        {can.edit || can.approve
          ? t("What is open here can be saved and handed in; nothing new is given out.")
          : t("It can be looked at; work on it begins when the pause ends.")}
      </span>
    </Note>
  );
}

/** Says that nothing is lost. */
function safeWords(state: SaveState): string {
  const unsent = unsentOf(state);
  return unsent
    ? ` ${tn(unsent, "Your {n} stroke is kept in this browser.", "Your {n} strokes are kept in this browser.")}`
    : "";
}

function Download() {
  const { work } = useDesk();
  return (
    <Button
      icon="download"
      testid="download-mask"
      title={t("The mask as it is here, as .nii.gz")}
      onClick={() => void work.downloadMask()}
    >
      {t("Download the mask")}
    </Button>
  );
}

function TryAgain() {
  const { session } = useDesk();
  return <Button onClick={() => void session.editor.resume(null)}>{t("Try again")}</Button>;
}

function SignedOut() {
  const { session, work } = useDesk();
  const safe = safeWords(session.save.value);
  return (
    <Note tone="warn" icon="log-in" testid="signed-out">
      <span class="grow">
        <b>
          {work.otherUser.value
            ? t("{other} is logged in in this browser.", { other: work.otherUser.value })
            : t("You are logged out.")}
        </b>
        {safe} {t("Draw on; log in to save.")}
      </span>
      <Button
        kind="btn-primary"
        testid="log-in-again"
        onClick={() => {
          work.ask({ kind: "log-in" });
        }}
      >
        {t("Log in")}
      </Button>
    </Note>
  );
}

/** The server has read the save and says no. */
function Refused() {
  const state = useDesk().session.save.value;
  if (state.kind !== "refused") return null;
  const safe = safeWords(state);
  return (
    <Note tone="bad" testid="refused">
      <span class="grow">
        <b>{t("The server does not take this save.")}</b> {state.detail}
        {safe}
      </span>
      <Download />
      <TryAgain />
    </Note>
  );
}

/** Nothing is sent, and does not go by itself. */
function NotSent() {
  const state = useDesk().session.save.value;
  const safe = safeWords(state);
  if (state.kind === "read-only")
    return <ReadOnlyNote state={state} download={<Download />} tryAgain={<TryAgain />} safe={safe} />;
  if (state.kind !== "offline" || state.reason !== "no_space") return null;
  return (
    <Note tone="warn" testid="server-full">
      <span class="grow">
        <b>{t("The server's disk is full.")}</b>
        {safe} {t("They are sent again by themselves; tell the operator.")}
      </span>
      <Download />
    </Note>
  );
}

function AnswersRefused({ why }: { readonly why: string }) {
  const desk = useDesk();
  const { work } = desk;
  return (
    <Note tone="bad" testid="answers-refused">
      <span class="grow">
        <b>{t("The server does not take these answers.")}</b> {why} {t("They are kept in this browser.")}
      </span>
      {desk.tab.value !== "questions" && (
        <Button onClick={() => desk.showTab("questions")}>{t("Show questions")}</Button>
      )}
      <Button onClick={() => void work.saveAnswers().catch(() => undefined)}>{t("Try again")}</Button>
    </Note>
  );
}

/** The browser keeps nothing. */
function NotKept() {
  const { session } = useDesk();
  const keeping = session.keeping.value;
  const state = session.save.value;
  if (keeping.kind === "journal" || state.kind === "read-only") return null;
  return (
    <Note tone="warn" testid="not-kept">
      <span class="grow">
        <b>
          {keeping.kind === "memory"
            ? t("This window keeps nothing (a private window?).")
            : t("This browser's disk is full.")}
        </b>{" "}
        {t("Strokes go straight to the server: close the page only when it says Saved.")}
      </span>
      {unsentOf(state) > 0 && <Download />}
    </Note>
  );
}

/** Somebody else saved first; the tab of the history is where one decides. */
function Conflict() {
  const desk = useDesk();
  const state = desk.session.save.value;
  if (state.kind !== "conflict" || desk.tab.value === "history") return null;
  return (
    <Note tone="warn" testid="conflict">
      <span class="grow">
        <b>{t("This mask was changed elsewhere too.")}</b>{" "}
        {t(
          "{n} voxels differ; where only one of you changed something, both changes are in. Nothing is sent" +
            " until you decide.",
          { n: thin(state.overlap) },
        )}
      </span>
      <Button
        kind="btn-primary"
        testid="decide"
        onClick={() => {
          desk.turnTo("history");
        }}
      >
        {t("Decide region by region")}
      </Button>
    </Note>
  );
}
