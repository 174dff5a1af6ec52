/** Two versions of one mask: where they disagree, region by region, and whose holds. */

import { useEffect, useState } from "preact/hooks";
import type { Disagreement } from "../../editor/disagreement";
import { fetchBytes } from "../api";
import { useDesk } from "../desk";
import { t } from "../language";
import { MASK_TYPE } from "../session";
import { ml } from "../words";
import { Button } from "./controls";

const THEIRS = "theirs";
type Choice = "mine" | "theirs";

export function Versions({ theirs }: { readonly theirs: string }) {
  const { session } = useDesk();
  const [regions, setRegions] = useState<readonly Disagreement[]>([]);
  const [choices, setChoices] = useState<readonly Choice[]>([]);
  useEffect(() => {
    void session.editor.disagreements().then((found) => {
      setRegions(found);
      setChoices(found.map(() => "mine"));
    });
    // Their version lies over the live mask while one decides: dashed; green is mine alone, pink is theirs alone.
    const before = session.difference.value;
    void fetchBytes(`/api/v1/revisions/${theirs}/mask`, { headers: { Accept: MASK_TYPE } })
      .then(async (message) => {
        await session.editor.putOverlay(THEIRS, message);
        session.overlaysLoaded.value = new Set([...session.overlaysLoaded.value, THEIRS]);
        session.overlaysShown.value = new Set([...session.overlaysShown.value, THEIRS]);
        session.difference.value = THEIRS;
      })
      .catch(() => undefined);
    return () => {
      session.difference.value = before;
      session.overlaysShown.value = new Set([...session.overlaysShown.value].filter((key) => key !== THEIRS));
      session.overlaysLoaded.value = new Set([...session.overlaysLoaded.value].filter((key) => key !== THEIRS));
    };
  }, []);
  const name = (label: number): string =>
    label === 0 ? t("unmarked") : label === 255 ? t("erased") : session.segmentName(label);
  const all = (choice: Choice) => setChoices(regions.map(() => choice));
  const taken = choices.filter((choice) => choice === "theirs").length;
  return (
    <section class="sec" data-testid="versions" aria-label={t("Two versions")}>
      <h3>{t("Two versions")}</h3>
      <p class="small muted">
        {t(
          "Another save came first. In these regions it and yours disagree; choose whose holds. One undo takes theirs out again.",
        )}
      </p>
      <div class="row" style="margin-top:8px">
        <Button onClick={() => all("mine")}>{t("All mine")}</Button>
        <Button onClick={() => all("theirs")}>{t("All theirs")}</Button>
      </div>
      <ol class="versions">
        {regions.map((region, n) => (
          <li key={n} data-testid={`region-${n}`}>
            <button
              type="button"
              class="link grow"
              title={t("Show this region")}
              onClick={() => session.goTo(region.ijk)}
            >
              {t("Slice {n}, {ml} mL", { n: region.ijk[2] + 1, ml: ml(region.ml) })}
            </button>
            <span class="segmented" role="group" aria-label={t("Region {n}", { n: n + 1 })}>
              {(["mine", "theirs"] as const).map((choice) => (
                <button
                  type="button"
                  key={choice}
                  aria-pressed={choices[n] === choice}
                  title={name(region[choice])}
                  onClick={() => setChoices(choices.map((old, at) => (at === n ? choice : old)))}
                >
                  {choice === "mine" ? t("Mine") : t("Theirs")}
                </button>
              ))}
            </span>
            <span class="tiny faint clip pair" title={`${name(region.mine)} / ${name(region.theirs)}`}>
              {t("mine {mine}, theirs {theirs}", {
                mine: name(region.mine).toLowerCase(),
                theirs: name(region.theirs).toLowerCase(),
              })}
            </span>
          </li>
        ))}
      </ol>
      <Button
        kind="btn-primary"
        testid="merge-versions"
        disabled={!regions.length}
        onClick={() => void session.editor.resolveConflict(choices)}
      >
        {t("Merge: {mine} mine, {theirs} theirs", { mine: choices.length - taken, theirs: taken })}
      </Button>
    </section>
  );
}
