/** Earlier revisions on a slider, what each one changed, and the strokes of this page. */

import { maskOf } from "../../ground/context";
import type { ListedRevision } from "../../ground/contract";
import { useEffect } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { whenWords } from "../work/history";
import { t, tn } from "../../ground/language";
import { capital, clock, ml, signed, toolWords } from "../../ground/words";
import { Button } from "../controls/controls";
import { Versions } from "./versions";

export function HistoryTab() {
  const { session, revisions } = useDesk();
  const save = session.save.value;
  const saved = save.kind === "saved" ? save.revision : null;
  useEffect(() => {
    void revisions.load();
  }, [saved]);
  useEffect(() => () => revisions.leave(), []);
  const words: Readonly<Record<string, string>> = {
    blank: t("Started from an empty mask"),
    prediction: t("Started from the pre-annotation"),
    returned: t("Goes on from the returned mask"),
    submission: t("Started from what was submitted"),
  };
  return (
    <>
      {save.kind === "conflict" && <Versions key={save.theirs} theirs={save.theirs} />}
      <div class="sec" data-testid="history">
        <p class="small">{words[maskOf(session.context, session.layer).start] ?? t("Started from an earlier mask")}.</p>
        {session.restored.value > 0 && (
          <p class="small warn">
            {tn(
              session.restored.value,
              "{n} stroke came back from this browser's journal.",
              "{n} strokes came back from this browser's journal.",
            )}
          </p>
        )}
        {revisions.trouble.value && <p class="small warn">{revisions.trouble.value}</p>}
        {revisions.list.value.length > 0 && <RevisionSlider />}
      </div>
      {revisions.list.value.length > 0 && <RevisionList />}
      <div class="sec">
        <h3>{t("Strokes of this page")}</h3>
        <p class="small faint">
          {tn(session.history.value.undoDepth, "Undo reaches back {n} stroke.", "Undo reaches back {n} strokes.")}
        </p>
        <ol class="strokes long">
          {session.strokes.value.map((s) => (
            <li key={s.id}>
              <span class="faint num time">{clock(s.at)}</span>
              <span class="grow clip">
                {capital(toolWords(s.tool))}
                {s.segment > 0 && `, ${session.segmentName(s.segment).toLowerCase()}`}
              </span>
              <span class="num">
                {signed(s.added - s.removed, ml(Math.abs(s.added - s.removed) * session.voxelMl))} {session.unit}
              </span>
            </li>
          ))}
        </ol>
      </div>
    </>
  );
}

const whoOf = (revision: ListedRevision): string => revision.author ?? t("model {model}", { model: revision.model });
const voxelsOf = (change: ListedRevision["change"]): number => Object.values(change).reduce((sum, n) => sum + n, 0);

function useMl(): (voxels: number) => string {
  const { session } = useDesk();
  return (voxels) => `${signed(voxels, ml(Math.abs(voxels) * session.voxelMl))} ${session.unit}`;
}

function RevisionSlider() {
  const { revisions, attention } = useDesk();
  const list = revisions.list.value;
  const at = revisions.at.value ?? list.length - 1;
  const shown = list[at];
  const revision = revisions.chosen.value;
  const text = t("Revision {n} of {size}", { n: at + 1, size: list.length });
  return (
    <div class="set">
      <div class="row between">
        <label for="revision">{text}</label>
        <output class="medium" for="revision">
          {revision ? whenWords(revision.created_at) : t("now")}
        </output>
      </div>
      <input
        id="revision"
        ref={attention.ref("revision")}
        data-testid="revision"
        class="range"
        type="range"
        min={0}
        max={list.length - 1}
        step={1}
        value={at}
        disabled={list.length < 2}
        aria-valuetext={shown ? `${text}, ${whoOf(shown)}, ${whenWords(shown.created_at)}` : text}
        style={`--v:${list.length > 1 ? (at / (list.length - 1)) * 100 : 100}%`}
        onInput={(e) => revisions.choose(Number(e.currentTarget.value))}
      />
      <Chosen />
    </div>
  );
}

/** The revision that is shown: who made it, what it changed, and the way back to it. */
function Chosen() {
  const { session, revisions } = useDesk();
  const change = useMl();
  const revision = revisions.chosen.value;
  if (!revision) return null;
  return (
    <>
      <p class="small" data-testid="revision-facts" data-shown={revisions.shown.value}>
        {whoOf(revision)}, {t("{change} in this revision", { change: change(voxelsOf(revision.change)) })}
      </p>
      {revision.source && (
        <p class="tiny" data-testid="revision-source">
          {revision.source}
        </p>
      )}
      <p class="tiny row">
        <span class="swatch diff-added" />
        {t("added since")}
        <span class="swatch diff-removed" />
        {t("removed since")}
      </p>
      <div class="row">
        {session.editable.value && (
          <Button
            testid="restore-revision"
            disabled={!revisions.shown.value}
            title={t("Make the mask what it was then; one undo takes it back")}
            onClick={() => void revisions.restore()}
          >
            {t("Restore")}
          </Button>
        )}
        <Button kind="btn-ghost" onClick={() => revisions.leave()}>
          {t("Back to now")}
        </Button>
      </div>
    </>
  );
}

function RevisionList() {
  const { revisions } = useDesk();
  const change = useMl();
  const list = revisions.list.value;
  return (
    <div class="sec">
      <h3>{t("Revisions")}</h3>
      <ol class="revisions" data-testid="revisions">
        {list
          .map((revision, n) => ({ revision, n }))
          .reverse()
          .slice(0, 200)
          .map(({ revision, n }) => (
            <li key={revision.id}>
              <button
                type="button"
                class={`lesion${revisions.at.value === n ? " on" : ""}`}
                aria-pressed={revisions.at.value === n}
                onClick={() => revisions.choose(n)}
              >
                <span class="faint num time">{whenWords(revision.created_at)}</span>
                <span class="grow clip">
                  {whoOf(revision)}
                  <span class="faint">
                    {Object.keys(revision.tools).length
                      ? `, ${Object.keys(revision.tools).map(toolWords).join(", ")}`
                      : ""}
                  </span>
                </span>
                <span class="num">{change(voxelsOf(revision.change))}</span>
              </button>
            </li>
          ))}
      </ol>
    </div>
  );
}
