/** Sizes of the operations on the whole segment, and those with other segments, other regions and copies. */

import { useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { figure } from "../../ground/words";
import { resizeMm } from "../tools/operations";
import { change, settings } from "../../ground/settings";
import { Button, Slider } from "../controls/controls";
import { type Part, Combine, Copy } from "./combine";

export function More({ off }: Part) {
  return (
    <>
      <Sizes />
      <Convert off={off} />
      <Combine off={off} />
      <Copy off={off} />
    </>
  );
}

function Sizes() {
  const { session } = useDesk();
  const now = settings.value;
  const mm = resizeMm(session);
  return (
    <>
      <Slider
        id="size-mm"
        label={t("Grow and shrink")}
        value={now.sizeMm}
        min={0.5}
        max={5}
        step={0.5}
        text={`${figure(mm)} mm`}
        hint={mm > now.sizeMm ? t("Less than a voxel would change nothing") : undefined}
        onChange={(sizeMm) => change({ sizeMm })}
      />
      <Slider
        id="smooth-mm"
        label={t("Smooth")}
        value={now.smoothMm}
        min={1}
        max={8}
        step={0.5}
        text={`${now.smoothMm} mm`}
        onChange={(smoothMm) => change({ smoothMm })}
      />
      <Slider
        id="islands-ml"
        label={t("Islands under")}
        value={now.islandsMl}
        min={0.1}
        max={5}
        step={0.1}
        text={`${now.islandsMl} ${session.unit}`}
        onChange={(islandsMl) => change({ islandsMl })}
      />
    </>
  );
}

function Convert({ off }: Part) {
  const { session, operations } = useDesk();
  const others = session.segments.filter(({ id }) => id !== session.selection.segment.value);
  const [chosen, choose] = useState<number | null>(null);
  const to = others.find(({ id }) => id === chosen)?.id ?? others[0]?.id;
  return (
    <div class="ops">
      {to !== undefined && (
        <>
          <select
            class="select small wide"
            aria-label={t("Segment to convert to")}
            data-testid="convert-to"
            value={to}
            onChange={(e) => choose(Number(e.currentTarget.value))}
          >
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {t("To {name}", { name })}
              </option>
            ))}
          </select>
          <Button
            icon="replace"
            testid="op-convert"
            disabled={off}
            title={t("All of this segment becomes {name}", { name: session.segmentName(to) })}
            onClick={() => void operations.convert(to)}
          >
            {t("Convert")}
          </Button>
        </>
      )}
      <Button
        icon="trash-2"
        testid="op-clear"
        disabled={off}
        title={t("Remove all of the segment; Undo brings it back")}
        onClick={() => void operations.clear()}
      >
        {t("Clear")}
      </Button>
    </div>
  );
}
