/** The dialogs by what is asked; their script comes once the scan can be looked at. */

import { useDesk } from "../desk/desk";
import { judges } from "../../ground/context";
import { msg, t } from "../../ground/language";
import { undoWordsOf } from "../../ground/news";
import type { Asking } from "../work/asking";
import { Button } from "../controls/controls";
import { Dialog } from "../controls/dialog";
import { Icon } from "../controls/icons";
import { useLasting } from "./news";
import { LogIn } from "./login";
import { Signature } from "./signature";
import { TakeAlong, TextDialog } from "./textdialogs";

type Of<Kind extends Asking["kind"]> = {
  readonly asking: Extract<Asking, { kind: Kind }>;
  readonly onClose: () => void;
};

export function Asked({ asking, onClose }: { readonly asking: Asking; readonly onClose: () => void }) {
  switch (asking.kind) {
    case "skip":
    case "block":
      return <Reason asking={asking} onClose={onClose} />;
    case "comment":
      return <NewComment asking={asking} onClose={onClose} />;
    case "kept":
      return <KeptForLater asking={asking} onClose={onClose} />;
    case "offline":
      return <TakeAlong onClose={onClose} />;
    case "log-in":
      return <LogIn onClose={onClose} />;
    case "signature":
      return <Signature asking={asking} onClose={onClose} />;
    case "interlocks":
      return <Interlocks asking={asking} onClose={onClose} />;
    case "done":
      return <Done asking={asking} />;
  }
}

const REASONS = {
  skip: {
    title: msg("Skip this scan"),
    label: msg("Why is it skipped?"),
    hint: msg("It goes back to the coordinator, who sees the reason."),
    action: msg("Skip scan"),
  },
  block: {
    title: msg("Block this scan"),
    label: msg("What is wrong with it?"),
    hint: msg("For example: wrong series, artefact, burnt-in text. The coordinator sees it."),
    action: msg("Block scan"),
  },
} as const;

/** Why a scan is skipped or blocked. */
function Reason({ asking: { kind }, onClose }: Of<"skip" | "block">) {
  const { work } = useDesk();
  const { title, label, hint, action } = REASONS[kind];
  return (
    <TextDialog
      title={t(title)}
      label={t(label)}
      hint={t(hint)}
      action={t(action)}
      onClose={onClose}
      onDone={(text) => {
        onClose();
        void work.giveReason(kind, text);
      }}
    />
  );
}

function NewComment({ asking: { ijk }, onClose }: Of<"comment">) {
  const desk = useDesk();
  const pinned = t("Pinned to voxel {ijk}.", { ijk: ijk.join(", ") });
  return (
    <TextDialog
      title={t("Comment on slice {n}", { n: ijk[2] + 1 })}
      label={t("What should be looked at here?")}
      hint={desk.context.review ? pinned : t("{pinned} It goes to the reviewer with the hand-in.", { pinned })}
      action={t("Add comment")}
      onClose={onClose}
      onDone={(text) => {
        onClose();
        desk.turnTo("comments");
        desk.session.selection.takeTool("select");
        desk.work.addComment(text, ijk);
      }}
    />
  );
}

function KeptForLater({ asking: { next }, onClose }: Of<"kept">) {
  const { session } = useDesk();
  return (
    <Dialog title={t("Kept for later")} onClose={onClose}>
      <p>
        {t(
          "There is no connection. {code} is handed in by itself as soon as there is one: strokes first, " +
            "then the answers, then the server's checks. If one of them fails, My work shows " +
            "which.",
          { code: session.context.scan.code },
        )}
      </p>
      <footer class="row">
        <span class="grow" />
        <Button onClick={onClose}>{t("Stay here")}</Button>
        <a class={`btn${next ? "" : " btn-primary"}`} data-focus={!next || undefined} href="/worklist/">
          {t("My work")}
        </a>
        {next && (
          <a class="btn btn-primary" data-focus href={next}>
            {t("Next scan")}
          </a>
        )}
      </footer>
    </Dialog>
  );
}

/** What the server has against it; warnings may be submitted with. */
function Interlocks({ asking: { found }, onClose }: Of<"interlocks">) {
  const desk = useDesk();
  const { work, session } = desk;
  return (
    <Dialog title={session.context.can.approve ? t("Not approved yet") : t("Not submitted yet")} onClose={onClose}>
      <ul class="locks">
        {found.map((lock, n) => (
          <li key={lock.code + lock.message}>
            <Icon name="triangle-alert" />
            <span class="grow">{lock.message}</span>
            <button type="button" class="link" data-focus={n === 0 || undefined} onClick={() => desk.jump(lock.jump)}>
              {t("Go to it")}
            </button>
          </li>
        ))}
      </ul>
      <footer class="row">
        <span class="grow" />
        <Button onClick={onClose}>{t("Back to the scan")}</Button>
        {found.every((l) => l.blocking === false) && (
          <Button
            kind="btn-primary"
            onClick={() => {
              onClose();
              void work.submit(found.map((l) => l.code));
            }}
          >
            {t("Submit with these warnings")}
          </Button>
        )}
      </footer>
    </Dialog>
  );
}

function Done({ asking }: Pick<Of<"done">, "asking">) {
  const { text, news, why } = asking;
  const { work, session } = useDesk();
  // A hand-in comes back until a reviewer has begun: only the server knows when.
  useLasting(news?.kind === "handed-in" ? null : news, () => work.ask({ ...asking, news: null }));
  const isReview = judges(session.context);
  return (
    <Dialog title={text} onClose={() => location.assign("/")}>
      {why && <p role="alert">{why}</p>}
      <footer class="row">
        <span class="grow" />
        {news && (
          <Button
            icon="undo-2"
            testid="take-back"
            disabled={!!work.busy.value}
            onClick={() => void work.takeBack(news)}
          >
            {undoWordsOf(news)}
          </Button>
        )}
        <a class="btn btn-primary" data-focus href={isReview ? "/reviews/" : "/worklist/"}>
          {isReview ? t("Back to the reviews") : t("Back to my work")}
        </a>
      </footer>
    </Dialog>
  );
}
