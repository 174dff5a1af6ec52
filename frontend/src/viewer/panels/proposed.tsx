/** The lesions that the model proposed, with how sure it was and what the reader made of each. */

import type { Fate, ProposedLesion } from "../../editor/types";
import { msg, t, tn } from "../../ground/language";
import { ml } from "../../ground/words";
import { Button, Kbd } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";
import { useDesk } from "../desk/desk";
import { locationOf } from "./location";

const MOST_ROWS = 200;

const FATES: Readonly<Record<Exclude<Fate, "proposed">, readonly [words: string, icon: IconName, tone: string]>> = {
  accepted: [msg("Accepted"), "check", "good"],
  changed: [msg("Changed by hand"), "sprout", "good"],
  dropped: [msg("Dropped: nothing of it is marked"), "x", "faint"],
};

/** How far one is, and the way in; nothing where the model proposed nothing. */
export function ProposedLine() {
  const { proposed } = useDesk();
  const all = proposed.list.value.length;
  if (!all) return null;
  return (
    <div class="row between proposedline" data-testid="proposed-line">
      <span class="small">
        {t("Model:")} <LeftWords /> <span class="faint">{t("of {n}", { n: all })}</span>
      </span>
      <button type="button" class="link small" onClick={() => proposed.step(1)}>
        {t("Go through")} <Kbd keys="Alt+W" />
      </button>
    </div>
  );
}

function LeftWords() {
  const left = useDesk().proposed.left.value;
  return left ? (
    <span class="medium">{tn(left, "{n} undecided", "{n} undecided")}</span>
  ) : (
    <span class="good">{t("all decided")}</span>
  );
}

export function ProposedList() {
  const { proposed, session } = useDesk();
  const list = proposed.list.value;
  if (!list.length) return null;
  return (
    <div class="sec flush">
      <div class="row between leshead">
        <h3>{t("Proposed by the model")}</h3>
        <span class="row-tight tiny faint">
          <Kbd keys="Alt+W" />
          <Kbd keys="Alt+Q" />
        </span>
      </div>
      <p class="small faint none" aria-live="polite" data-testid="proposed-left" data-left={proposed.left.value}>
        <LeftWords />
      </p>
      <div class="proposedrows">
        <table class="table les" data-testid="proposed">
          <thead>
            <tr>
              <th>
                <span class="vh">{t("Decided")}</span>
              </th>
              <th>{t("Location")}</th>
              <th class="num">{session.unit}</th>
              <th class="num" title={t("How sure the model was, on average over the lesion")}>
                {t("sure")}
              </th>
            </tr>
          </thead>
          <tbody>
            {list.slice(0, MOST_ROWS).map((lesion, n) => (
              <ProposedRow key={lesion.ijk.join()} lesion={lesion} n={n} />
            ))}
          </tbody>
        </table>
      </div>
      {list.length > MOST_ROWS && (
        <p class="small faint none">
          {t("and {n}", { n: tn(list.length - MOST_ROWS, "{n} smaller one", "{n} smaller ones") })}
        </p>
      )}
      {session.context.can.edit && <Acts />}
    </div>
  );
}

function ProposedRow({ lesion, n }: { readonly lesion: ProposedLesion; readonly n: number }) {
  const { proposed, session } = useDesk();
  const { fate, confidence } = lesion;
  const isChosen = proposed.index.value === n;
  return (
    <tr
      aria-selected={isChosen}
      data-fate={fate}
      // A row that the keys have reached is seen.
      ref={(row) => {
        if (isChosen) row?.scrollIntoView({ block: "nearest" });
      }}
    >
      <td>
        {fate === "proposed" ? (
          n + 1
        ) : (
          <span class={FATES[fate][2]} title={t(FATES[fate][0])}>
            <Icon name={FATES[fate][1]} size="sm" />
            <span class="vh">{t(FATES[fate][0])}</span>
          </span>
        )}
      </td>
      <td>
        <button
          type="button"
          class="lesion"
          title={t("Show proposed lesion {n}: {name}", { n: n + 1, name: session.segmentName(lesion.segment) })}
          onClick={() => proposed.show(n)}
        >
          <span class="swatch" style={`--c:${session.colours.get(lesion.segment)}`} />
          <span class="clip">{locationOf(session, lesion)}</span>
        </button>
      </td>
      <td class="num">{ml(lesion.ml)}</td>
      <td class="num faint">{confidence === null ? "–" : `${Math.round(100 * confidence)} %`}</td>
    </tr>
  );
}

function Acts() {
  const { proposed, session } = useDesk();
  const off = !session.editable.value;
  return (
    <div class="row acts">
      {proposed.canAccept && (
        <Button
          kind="grow"
          keys="Alt+A"
          title={t("The lesion is right: on to the next")}
          testid="accept-proposed"
          disabled={off}
          onClick={() => void proposed.accept()}
        >
          {t("Accept")} <Kbd keys="Alt+A" />
        </Button>
      )}
      <Button
        kind="grow"
        keys="Alt+X"
        title={t("This is no lesion: it goes")}
        testid="drop-proposed"
        disabled={off}
        onClick={() => void proposed.drop()}
      >
        {t("Drop")} <Kbd keys="Alt+X" />
      </Button>
      <Button
        kind="grow"
        keys="Alt+R"
        title={t("The growing brush takes the lesion anew")}
        testid="regrow-proposed"
        disabled={off}
        onClick={() => void proposed.regrow()}
      >
        {t("Regrow")} <Kbd keys="Alt+R" />
      </Button>
    </div>
  );
}
