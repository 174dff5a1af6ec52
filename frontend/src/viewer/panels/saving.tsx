/** Whether the work is safe: the words in the bar, and what to do when the server or the browser does not take it. */

import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { SaveState } from "../../editor/types";
import { whyDamaged } from "../checks";
import { useDesk } from "../desk";
import { t, tn } from "../language";
import { ago, thin } from "../words";
import { Button } from "./controls";
import { Icon, type IconName } from "./icons";

const strokes = (n: number): string => tn(n, "{n} stroke", "{n} strokes");

interface Words {
  readonly icon: IconName;
  readonly tone: string;
  readonly words: string;
  readonly detail: string;
}

function savedWords(state: SaveState, answersUnsaved: boolean, areRefused: boolean): Words {
  const kept =
    "unsent" in state && state.unsent ? t("{strokes} kept in this browser", { strokes: strokes(state.unsent) }) : "";
  switch (state.kind) {
    case "saved":
      return areRefused
        ? { icon: "triangle-alert", tone: "bad", words: t("Not saved"), detail: t("answers") }
        : answersUnsaved
          ? { icon: "cloud-upload", tone: "", words: t("Saving"), detail: t("answers") }
          : { icon: "cloud-check", tone: "good", words: t("Saved"), detail: ago(state.at) };
    case "saving":
      return { icon: "cloud-upload", tone: "", words: t("Saving"), detail: strokes(state.unsent) };
    case "unsaved":
      return { icon: "cloud-upload", tone: "", words: t("Saving soon"), detail: strokes(state.unsent) };
    case "offline":
      return { icon: "cloud-off", tone: "warn", words: offlineWords(state.reason), detail: kept };
    case "conflict":
      return { icon: "triangle-alert", tone: "warn", words: t("Two versions"), detail: kept };
    case "signed-out":
      return { icon: "log-in", tone: "warn", words: t("Signed out"), detail: kept };
    case "refused":
      return { icon: "triangle-alert", tone: "bad", words: t("Not saved"), detail: kept };
    case "read-only":
      return {
        icon: "eye",
        tone: state.unsent ? "warn" : "",
        words: t("Read only"),
        detail: kept || (state.reason === "other-tab" ? t("open in another tab") : ""),
      };
  }
}

/** Why nothing is sent just now. All of it passes by itself. */
function offlineWords(reason: string): string {
  switch (reason) {
    case "no_space":
      return t("Server's disk full");
    case "busy":
    case "too_many_requests":
    case "http_429":
      return t("Server is busy");
    case "database_away":
    case "http_502":
    case "http_503":
    case "http_504":
      return t("Server is away");
    default:
      return t("Offline");
  }
}

export function Saved() {
  const { session, work } = useDesk();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
  const state = session.save.value;
  const { icon, tone, words, detail } = savedWords(
    state,
    work.answersUnsaved.value,
    work.answersRefused.value !== null,
  );
  return (
    <span
      class="saved"
      data-testid="save-state"
      data-state={state.kind}
      data-unsent={"unsent" in state ? state.unsent : 0}
    >
      <span class={`row-tight ${tone}`}>
        <Icon name={icon} />
        <span class={tone || "text"}>{words}</span>
      </span>
      <span class="faint">{detail}</span>
      {state.kind === "offline" && (
        <Button title={t("It tries again by itself.")} onClick={() => void session.editor.resume(null)}>
          {t("Try now")}
        </Button>
      )}
    </span>
  );
}

function Note({
  tone,
  icon = "triangle-alert",
  testid,
  children,
}: {
  readonly tone: "warn" | "bad" | "accent";
  readonly icon?: IconName;
  readonly testid: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div class={`note note-${tone}`} role="alert" data-testid={testid}>
      <Icon name={icon} />
      {children}
    </div>
  );
}

/** What stays on the page until it is settled: over the right panel, so that it never lies on an image. */
export function SavingNotes() {
  const desk = useDesk();
  const { session, work } = desk;
  const state = session.save.value;
  const unsent = "unsent" in state ? state.unsent : 0;
  const keeping = session.keeping.value;
  const download = (
    <Button
      icon="download"
      testid="download-mask"
      title={t("The mask as it is here, as .nii.gz")}
      onClick={() => void work.downloadMask()}
    >
      {t("Download the mask")}
    </Button>
  );
  const tryAgain = <Button onClick={() => void session.editor.resume(null)}>{t("Try again")}</Button>;
  const safe = unsent
    ? ` ${tn(unsent, "Your {n} stroke is kept in this browser.", "Your {n} strokes are kept in this browser.")}`
    : "";
  const damaged = whyDamaged(session.lostSlices.value);
  return (
    <div class="hinders">
      {damaged && (
        <Note tone="bad" testid="damaged-slices">
          <span class="grow">{damaged}</span>
        </Note>
      )}
      {work.signedOut.value && (
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
              work.asking.value = { kind: "log-in" };
            }}
          >
            {t("Log in")}
          </Button>
        </Note>
      )}
      {state.kind === "refused" && (
        <Note tone="bad" testid="refused">
          <span class="grow">
            <b>{t("The server does not take this save.")}</b> {state.detail}
            {safe}
          </span>
          {download}
          {tryAgain}
        </Note>
      )}
      {work.answersRefused.value !== null && (
        <Note tone="bad" testid="answers-refused">
          <span class="grow">
            <b>{t("The server does not take these answers.")}</b> {work.answersRefused.value}{" "}
            {t("They are kept in this browser.")}
          </span>
          {desk.tab.value !== "questions" && (
            <Button onClick={() => desk.showTab("questions")}>{t("Show questions")}</Button>
          )}
          <Button onClick={() => void work.saveAnswers().catch(() => undefined)}>{t("Try again")}</Button>
        </Note>
      )}
      {state.kind === "offline" && state.reason === "no_space" && (
        <Note tone="warn" testid="server-full">
          <span class="grow">
            <b>{t("The server's disk is full.")}</b>
            {safe} {t("They are sent again by themselves; tell the operator.")}
          </span>
          {download}
        </Note>
      )}
      {state.kind === "read-only" && <ReadOnlyNote state={state} download={download} tryAgain={tryAgain} safe={safe} />}
      {keeping.kind !== "journal" && state.kind !== "read-only" && (
        <Note tone="warn" testid="not-kept">
          <span class="grow">
            <b>
              {keeping.kind === "memory"
                ? t("This window keeps nothing (a private window?).")
                : t("This browser's disk is full.")}
            </b>{" "}
            {t("Strokes go straight to the server: close the page only when it says Saved.")}
          </span>
          {unsent > 0 && download}
        </Note>
      )}
      {state.kind === "conflict" && desk.tab.value !== "history" && (
        <Note tone="warn" testid="conflict">
          <span class="grow">
            <b>{t("This mask was changed elsewhere too.")}</b>{" "}
            {t(
              "{n} voxels differ; where only one of you changed something, both changes are in. Nothing is sent until you decide.",
              { n: thin(state.overlap) },
            )}
          </span>
          <Button
            kind="btn-primary"
            testid="decide"
            onClick={() => {
              desk.tab.value = "history";
            }}
          >
            {t("Decide region by region")}
          </Button>
        </Note>
      )}
    </div>
  );
}

interface ReadOnlyProps {
  readonly state: Extract<SaveState, { kind: "read-only" }>;
  readonly download: ComponentChildren;
  readonly tryAgain: ComponentChildren;
  readonly safe: string;
}

function ReadOnlyNote({ state, download, tryAgain, safe }: ReadOnlyProps) {
  const { session } = useDesk();
  const takeOver = (
    <Button testid="draw-here" onClick={() => void session.takeOver()}>
      {t("Draw here")}
    </Button>
  );
  switch (state.reason) {
    case "other-tab":
      return (
        <Note tone="accent" icon="eye" testid="other-tab">
          <span class="grow">
            <b>{t("This scan is open in another tab.")}</b>{" "}
            {t(
              "Here you only look at it. You can go on drawing here: the other tab then puts its strokes away and becomes read only.",
            )}
          </span>
          {takeOver}
        </Note>
      );
    case "taken-over":
      return (
        <Note tone="accent" icon="eye" testid="taken-over">
          <span class="grow">
            <b>{t("You went on drawing in another tab.")}</b>{" "}
            {t("This one shows the mask as it was then; its strokes went along.")}
          </span>
          {takeOver}
        </Note>
      );
    case "lease-lost":
      return (
        <Note tone="warn" testid="lease-lost">
          <span class="grow">
            <b>{t("This scan is no longer yours.")}</b> {t("It was given back or to somebody else.")}
            {safe} {t("Download the mask to hand it over, or ask the coordinator for the scan.")}
          </span>
          {download}
          {tryAgain}
        </Note>
      );
    case "not-editable":
      return state.unsent > 0 ? (
        <Note tone="warn" testid="closed">
          <span class="grow">
            <b>{t("This scan can no longer be changed.")}</b>
            {safe}
          </span>
          {download}
          {tryAgain}
        </Note>
      ) : null;
    case "not-loaded":
      return null;
  }
}
