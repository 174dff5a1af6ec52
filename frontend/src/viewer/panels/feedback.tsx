/** What a newcomer learns of a scan of the certification once it is handed in: how close it is to the reference. */

import type { Feedback as Facts } from "../../ground/contract";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { figure, fixed, ml } from "../../ground/words";
import { Icon } from "../controls/icons";

export function Feedback() {
  const { session } = useDesk();
  const { feedback } = session.context;
  if (!feedback) return null;
  return (
    <div class="sec check" data-testid="feedback">
      <h3>{t("Against the reference")}</h3>
      <dl class="compared">
        <Figure words={t("Dice")} value={fixed(feedback.dice, 2)} />
        <Figure
          words={t("Surface Dice at {mm} mm", { mm: figure(feedback.tolerance_mm) })}
          value={fixed(feedback.surface_dice, 2)}
        />
        <Figure words={t("Too much")} value={`${ml(feedback.too_much_ml)} ${session.unit}`} />
        <Figure words={t("Missed")} value={`${ml(feedback.missed_ml)} ${session.unit}`} />
      </dl>
      <p class="small" data-testid="attempt">
        <Standing {...feedback} />
      </p>
      <a class="btn btn-primary" data-testid="go-on" href={feedback.next ?? "/worklist/"}>
        {feedback.next ? t("Next scan of the certification") : t("Back to my work")}
        <Icon name="chevron-right" size="sm" />
      </a>
    </div>
  );
}

function Figure({ words, value }: { readonly words: string; readonly value: string }) {
  return (
    <div>
      <dt>{words}</dt>
      <dd class="num">{value}</dd>
    </div>
  );
}

/** How the attempt stands, in a sentence. */
function Standing(facts: Facts) {
  const mean = fixed(facts.mean_dice, 2),
    mark = fixed(facts.pass_dice, 2);
  if (facts.state === "passed")
    return <b class="good">{t("Passed with a mean Dice of {mean}. Your work is open.", { mean })}</b>;
  if (facts.state === "failed")
    return (
      <b class="warn">
        {t("Not passed: a mean Dice of {mean}, and {mark} is needed. Look at the differences and try again.", {
          mean,
          mark,
        })}
      </b>
    );
  return t("Attempt {attempt}: {measured} of {scans} scans, mean Dice {mean}; {mark} is needed.", {
    attempt: facts.attempt,
    measured: facts.measured,
    scans: facts.scans,
    mean,
    mark,
  });
}
