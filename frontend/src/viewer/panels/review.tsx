/** Where the mask differs from another one, lesion by lesion: see, check, take back, say what is wrong. */

import type { Difference } from "../../editor/types";
import type { Overlay } from "../../ground/contract";
import { useDesk } from "../desk/desk";
import { msg, t, tn } from "../../ground/language";
import { overlayColour } from "../panes/marks";
import { CORRECTION } from "../scan/overlays";
import { REMARKS } from "../work/review";
import { signed } from "../../ground/words";
import { Button, Kbd } from "../controls/controls";
import { Icon } from "../controls/icons";

const KINDS: Readonly<Record<Difference["kind"], string>> = {
  added: msg("Added"),
  removed: msg("Removed"),
  changed: msg("Changed"),
};
/** Against the reference of a certification. */
const FAULTS: Readonly<Record<Difference["kind"], string>> = {
  added: msg("Missed"),
  removed: msg("Too much"),
  changed: msg("Differs"),
};

/** How a mask is called where there is little room. */
export function shortTitle(key: string, title: string): string {
  return key === "prediction" ? t("Pre-annotation") : key === "author" ? t("Author") : title;
}

export function ReviewTab() {
  const desk = useDesk();
  const { session, review } = desk;
  const { can } = session.context;
  const against = review.against.value;
  const others = review.others.value;
  const readers = review.readers.value;
  return (
    <>
      <div class="sec">
        <div class="row between">
          <h3>{t("Compare with")}</h3>
          {others.length > 1 && (
            <span class="tiny faint row-tight">
              <Kbd keys="Shift+D" /> {t("next")}
            </span>
          )}
        </div>
        {others.length === 0 ? <p class="small faint">{t("There is no other mask of this scan.")}</p> : <Others />}
        {readers.length > 0 && (
          <div class="row between" style="margin-top:8px">
            <span class="small">{t("{n} readers", { n: readers.length + 1 })}</span>
            <Button
              icon="flame"
              kind="btn-ghost"
              pressed={review.heat.value}
              testid="heat"
              title={t("Where the readers disagree: the warmer, the more")}
              keys="Shift+V"
              onClick={() => review.toggleHeat()}
            >
              {t("Disagreement")}
            </Button>
          </div>
        )}
      </div>
      {against && <Differences against={against} canRevert={can.edit} />}
      {can.comment && <Remarks />}
    </>
  );
}

/** The other masks: which one to compare with, and whose outlines are shown. */
function Others() {
  const { session, review } = useDesk();
  const against = review.against.value;
  const shown = session.overlays.shown.value;
  return (
    <ul class="others" aria-label={t("Compare with")}>
      {review.others.value.map((o) => (
        <li key={o.key}>
          <label class="choice small">
            <input
              type="radio"
              name="against"
              data-testid={`against-${o.key}`}
              checked={o === against}
              onChange={() => review.compareWith(o.key)}
            />
            <span class="dash" style={`--c:${overlayColour(o.key)}`} aria-hidden="true" />
            <span class="clip" title={o.title}>
              {o.title}
            </span>
          </label>
          <button
            type="button"
            class={`mini${shown.has(o.key) ? "" : " off"}`}
            data-testid={`outline-${o.key}`}
            aria-pressed={shown.has(o.key)}
            aria-label={t("Outline of {title}", { title: o.title })}
            title={t("Outline of {title}", { title: o.title })}
            onClick={() => {
              session.overlays.toggle(o.key);
            }}
          >
            <Icon name={shown.has(o.key) ? "eye" : "eye-off"} size="sm" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Differences({ against, canRevert }: { readonly against: Overlay; readonly canRevert: boolean }) {
  const { review, session } = useDesk();
  const isMeasured = session.context.feedback !== null;
  const { title } = against;
  const isCorrection = against.key === CORRECTION;
  const list = review.differences.value;
  return (
    <div class="sec flush grow">
      <div class="row between leshead">
        <h3>{t("Differences, largest first")}</h3>
        <span class="row-tight tiny faint">
          <Kbd keys="Shift+J" />
          <Kbd keys="Shift+K" />
        </span>
      </div>
      {list.length === 0 ? (
        <p class="small faint none" data-testid="no-differences">
          {review.isCounted.value ? t("No difference to {title}.", { title }) : t("Comparing …")}
        </p>
      ) : (
        <>
          <p class="small faint none" aria-live="polite" data-testid="differences-left">
            {isMeasured
              ? tn(list.length, "{n} difference to the reference", "{n} differences to the reference")
              : isCorrection
                ? tn(list.length, "{n} lesion was corrected", "{n} lesions were corrected")
                : review.left.value
                  ? t("{n} of {all} to check", { n: review.left.value, all: list.length })
                  : t("All {n} checked", { n: list.length })}
          </p>
          <table class="table les diff" data-testid="differences">
            <Head isCorrection={isCorrection} />
            <tbody>
              {list.slice(0, 200).map((difference, n) => (
                <DifferenceRow key={difference.ijk.join()} difference={difference} n={n} />
              ))}
            </tbody>
          </table>
          {list.length > 200 && (
            <p class="small faint none">
              {t("and {what}", { what: tn(list.length - 200, "{n} smaller one", "{n} smaller ones") })}
            </p>
          )}
          {!isCorrection && <DifferenceActs canRevert={canRevert} />}
        </>
      )}
    </div>
  );
}

function Head({ isCorrection }: { readonly isCorrection: boolean }) {
  const { unit, context } = useDesk().session;
  const isMeasured = context.feedback !== null;
  return (
    <thead>
      <tr>
        <th>
          <span class="vh">{t("Checked")}</span>
        </th>
        <th>{t("Lesion")}</th>
        <th
          class="num"
          title={
            isMeasured
              ? t("{unit} missed", { unit })
              : isCorrection
                ? t("{unit} added by the reviewer", { unit })
                : t("{unit} only here", { unit })
          }
        >
          + {unit}
        </th>
        <th
          class="num"
          title={
            isMeasured
              ? t("{unit} too much", { unit })
              : isCorrection
                ? t("{unit} taken away by the reviewer", { unit })
                : t("{unit} only in the other mask", { unit })
          }
        >
          − {unit}
        </th>
      </tr>
    </thead>
  );
}

function DifferenceRow({ difference, n }: { readonly difference: Difference; readonly n: number }) {
  const { review, session } = useDesk();
  const isChecked = review.isChecked(difference);
  return (
    <tr aria-selected={review.index.value === n} data-kind={difference.kind} data-checked={isChecked}>
      <td>
        {isChecked ? (
          <span class="good" title={t("Checked")}>
            <Icon name="check" size="sm" />
          </span>
        ) : (
          n + 1
        )}
      </td>
      <td>
        <button
          type="button"
          class="lesion"
          title={t("Show difference {n}", { n: n + 1 })}
          onClick={() => review.show(n)}
        >
          <span class="swatch" style={`--c:${session.colours.get(difference.segment)}`} />
          <span class="clip">
            {t((session.context.feedback ? FAULTS : KINDS)[difference.kind])},{" "}
            {t("slice {n}", { n: difference.ijk[2] + 1 })}
          </span>
        </button>
      </td>
      <td class="num">{difference.added ? signed(difference.addedMl) : difference.relabelled ? "≠" : ""}</td>
      <td class="num">{difference.removed ? signed(-difference.removedMl) : ""}</td>
    </tr>
  );
}

function DifferenceActs({ canRevert }: { readonly canRevert: boolean }) {
  const { review, session } = useDesk();
  return (
    <div class="row acts">
      <Button
        icon="check"
        kind="grow"
        testid="check-difference"
        keys="Shift+A"
        title={t("Mark as checked and go to the next")}
        onClick={() => review.check()}
      >
        {t("Checked")} <Kbd keys="Shift+A" />
      </Button>
      {canRevert && (
        <Button
          icon="undo-2"
          kind="grow"
          testid="revert-difference"
          keys="Shift+R"
          title={t("Make this lesion what it is in the other mask")}
          disabled={!session.editable.value || review.index.value < 0}
          onClick={() => void review.revert()}
        >
          {session.context.stage === "arbitration" ? t("Take theirs") : t("Take back")} <Kbd keys="Shift+R" />
        </Button>
      )}
    </div>
  );
}

/** What a reviewer says of the lesion at hand by one key; it goes with the return. */
function Remarks() {
  const desk = useDesk();
  return (
    <div class="sec">
      <h3>{t("Remark on this location")}</h3>
      <div class="remarks">
        {REMARKS.map(({ id, short, words, key }) => (
          <Button
            key={id}
            testid={id}
            keys={key}
            title={t("Pins a comment here: {words}", { words: t(words) })}
            onClick={() => desk.remark(words)}
          >
            {t(short)} <Kbd keys={key} />
          </Button>
        ))}
      </div>
    </div>
  );
}
