/** Two versions of one mask: where they disagree, region by region, and whose holds. */

import { useEffect, useState } from "preact/hooks";
import type { Disagreement } from "../../editor/disagreement";
import { MEDIA_TYPE } from "../../editor/message";
import { fetchBytes } from "../../ground/api";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { ml } from "../../ground/words";
import { Button } from "../controls/controls";

const THEIRS = "theirs";
type Choice = "mine" | "theirs";

/** Their version lies over the live mask while one decides: dashed; green is mine alone, pink is theirs alone. */
function useTheirs(theirs: string): void {
  const { session } = useDesk();
  useEffect(() => {
    const before = session.overlays.difference.value;
    void fetchBytes(`/api/v1/revisions/${theirs}/mask`, { headers: { Accept: MEDIA_TYPE } })
      .then(async (message) => {
        await session.editor.putOverlay(THEIRS, message);
        session.overlays.noteLoaded(THEIRS);
        session.overlays.show(THEIRS);
        session.overlays.compareWith(THEIRS);
      })
      .catch(() => undefined);
    return () => {
      session.overlays.compareWith(before);
      session.overlays.noteGone(THEIRS);
    };
  }, []);
}

export function Versions({ theirs }: { readonly theirs: string }) {
  const { session } = useDesk();
  const [regions, setRegions] = useState<readonly Disagreement[]>([]);
  const [choices, setChoices] = useState<readonly Choice[]>([]);
  useEffect(() => {
    void session.editor.disagreements().then((found) => {
      setRegions(found);
      setChoices(found.map(() => "mine"));
    });
  }, []);
  useTheirs(theirs);
  const all = (choice: Choice) => setChoices(regions.map(() => choice));
  const taken = choices.filter((choice) => choice === "theirs").length;
  return (
    <section class="sec" data-testid="versions" aria-label={t("Two versions")}>
      <h3>{t("Two versions")}</h3>
      <p class="small muted">
        {t(
          "Another save came first. In these regions it and yours disagree; choose whose holds. One undo takes " +
            "theirs out again.",
        )}
      </p>
      <div class="row" style="margin-top:8px">
        <Button onClick={() => all("mine")}>{t("All mine")}</Button>
        <Button onClick={() => all("theirs")}>{t("All theirs")}</Button>
      </div>
      <ol class="versions">
        {regions.map((region, n) => (
          <Region
            key={n}
            region={region}
            n={n}
            choice={choices[n]}
            onChoose={(choice) => setChoices(choices.map((old, at) => (at === n ? choice : old)))}
          />
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

function Region({
  region,
  n,
  choice,
  onChoose,
}: {
  readonly region: Disagreement;
  readonly n: number;
  readonly choice: Choice | undefined;
  readonly onChoose: (choice: Choice) => void;
}) {
  const { session } = useDesk();
  const name = (label: number): string =>
    label === 0 ? t("unmarked") : label === 255 ? t("erased") : session.segmentName(label);
  const [mine, theirs] = [name(region.mine), name(region.theirs)];
  return (
    <li data-testid={`region-${n}`}>
      <button type="button" class="link grow" title={t("Show this region")} onClick={() => session.goTo(region.ijk)}>
        {t("Slice {n}, {amount}", { n: region.ijk[2] + 1, amount: `${ml(region.ml)} ${session.unit}` })}
      </button>
      <span class="segmented" role="group" aria-label={t("Region {n}", { n: n + 1 })}>
        {(["mine", "theirs"] as const).map((own) => (
          <button
            type="button"
            key={own}
            aria-pressed={choice === own}
            title={name(region[own])}
            onClick={() => onChoose(own)}
          >
            {own === "mine" ? t("Mine") : t("Theirs")}
          </button>
        ))}
      </span>
      <span class="tiny faint clip pair" title={`${mine} / ${theirs}`}>
        {t("mine {mine}, theirs {theirs}", { mine: mine.toLowerCase(), theirs: theirs.toLowerCase() })}
      </span>
    </li>
  );
}
