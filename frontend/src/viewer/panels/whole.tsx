/** Operations on the whole segment: shape, other regions, other segments, copies. */

import { useState } from "preact/hooks";
import { useDesk } from "../desk";
import { t } from "../language";
import { change, settings } from "../settings";
import { Button, Slider, Switch } from "./controls";
import { Icon } from "./icons";

export function WholeSegment() {
  const { session, operations } = useDesk();
  const now = settings.value;
  const off = !session.editable.value || session.working.value !== null;
  return (
    <>
      <h3>{t("Whole segment")}</h3>
      <div class="ops" data-testid="operations" aria-busy={session.working.value !== null}>
        <Button
          icon="layers-2"
          testid="op-interpolate"
          disabled={off}
          title={t("Fill between the drawn slices of the active pane")}
          keys="Alt+J"
          onClick={() => void operations.interpolate()}
        >
          {t("Interpolate")}
        </Button>
        <Button
          icon="paint-bucket"
          testid="op-fill-holes"
          disabled={off}
          title={t("Fill what the segment encloses")}
          keys="Shift+U"
          onClick={() => void operations.fillHoles()}
        >
          {t("Fill holes")}
        </Button>
        <Button
          icon="circle-minus"
          testid="op-islands"
          disabled={off}
          title={t("Remove parts under {ml} mL", { ml: now.islandsMl })}
          keys="Alt+I"
          onClick={() => void operations.removeIslands()}
        >
          {t("Islands")}
        </Button>
        <Button
          icon="waves"
          testid="op-smooth"
          disabled={off}
          title={t("Take off spikes and pits below {mm} mm", { mm: now.smoothMm })}
          keys="Alt+S"
          onClick={() => void operations.smooth()}
        >
          {t("Smooth")}
        </Button>
        <Button
          icon="expand"
          testid="op-grow"
          disabled={off}
          title={t("Grow all round")}
          keys="Alt+G"
          onClick={() => void operations.grow()}
        >
          {t("Grow {mm} mm", { mm: now.sizeMm })}
        </Button>
        <Button
          icon="shrink"
          testid="op-shrink"
          disabled={off}
          title={t("Shrink all round")}
          keys="Shift+G"
          onClick={() => void operations.shrink()}
        >
          {t("Shrink {mm} mm", { mm: now.sizeMm })}
        </Button>
      </div>
      <p class="small faint working" role="status">
        {session.working.value && (
          <>
            <Icon name="clock" size="sm" />
            {t("Working: {title}", { title: session.working.value })}
          </>
        )}
      </p>
      <details
        class="more"
        open={now.moreOperations}
        onToggle={(e) => {
          if (e.currentTarget.open !== settings.value.moreOperations) change({ moreOperations: e.currentTarget.open });
        }}
      >
        <summary class="small" data-testid="more-operations">
          {t("More: sizes, segments, copies")}
        </summary>
        <Sizes />
        <Convert off={off} />
        <Combine off={off} />
        <Copy off={off} />
      </details>
    </>
  );
}

function Sizes() {
  const now = settings.value;
  return (
    <>
      <Slider
        id="size-mm"
        label={t("Grow and shrink")}
        value={now.sizeMm}
        min={0.5}
        max={5}
        step={0.5}
        text={`${now.sizeMm} mm`}
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
        text={`${now.islandsMl} mL`}
        onChange={(islandsMl) => change({ islandsMl })}
      />
    </>
  );
}

interface Part {
  readonly off: boolean;
}

function Convert({ off }: Part) {
  const { session, operations } = useDesk();
  const others = session.segments.filter(({ id }) => id !== session.segment.value);
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

/** Regions to combine with: other segments of the mask, overlays, the lungs. `overlay/segment`, empty for "this mask" and "any". */
function Combine({ off }: Part) {
  const { session, operations } = useDesk();
  const now = settings.value;
  void session.mirror?.version.value;
  const regions = [
    ...session.segments
      .filter(({ id }) => id !== session.segment.value)
      .map(({ id, name }) => ({ value: `/${id}`, words: name })),
    ...session.context.overlays
      .filter(({ key }) => session.overlaysLoaded.value.has(key))
      .map(({ key, title }) => ({ value: `${key}/`, words: title })),
    ...(session.mirror?.hasLimit ? [{ value: "limit/", words: t("Lungs") }] : []),
  ];
  const [chosen, choose] = useState("");
  const value = regions.find((r) => r.value === chosen)?.value ?? regions[0]?.value;
  if (!value) return null;
  const [overlay, other] = value.split("/");
  const inMask = overlay === "";
  const combine = (op: "union" | "intersect" | "subtract") =>
    void operations.combine(op, inMask ? null : overlay, other ? Number(other) : null);
  const apart = inMask && now.marginMm === 0;
  const why = apart ? t("Segments of one mask never overlap: set a margin") : undefined;
  return (
    <>
      <select
        class="select small wide"
        aria-label={t("Region to combine with")}
        data-testid="combine-with"
        value={value}
        onChange={(e) => choose(e.currentTarget.value)}
      >
        {regions.map((r) => (
          <option key={r.value} value={r.value}>
            {t("With {name}", { name: r.words })}
          </option>
        ))}
      </select>
      <Slider
        id="margin-mm"
        label={t("Margin round it")}
        value={now.marginMm}
        min={0}
        max={10}
        step={0.5}
        text={`${now.marginMm} mm`}
        onChange={(marginMm) => change({ marginMm })}
      />
      <div class="ops three">
        <Button
          testid="op-union"
          disabled={off}
          title={t("Add the region to the segment")}
          onClick={() => combine("union")}
        >
          {t("Add")}
        </Button>
        <Button
          testid="op-intersect"
          disabled={off || apart}
          title={why ?? t("Keep only what lies in the region")}
          onClick={() => combine("intersect")}
        >
          {t("Keep")}
        </Button>
        <Button
          testid="op-subtract"
          disabled={off || apart}
          title={why ?? t("Remove what lies in the region")}
          onClick={() => combine("subtract")}
        >
          {t("Subtract")}
        </Button>
      </div>
    </>
  );
}

function Copy({ off }: Part) {
  const { session, operations } = useDesk();
  const sources = session.context.overlays.filter(({ key }) => session.overlaysLoaded.value.has(key));
  const [chosen, choose] = useState("");
  const from = sources.find(({ key }) => key === chosen) ?? sources[0];
  if (!from) return null;
  return (
    <>
      <select
        class="select small wide"
        aria-label={t("Mask to copy from")}
        data-testid="copy-from"
        value={from.key}
        onChange={(e) => choose(e.currentTarget.value)}
      >
        {sources.map(({ key, title }) => (
          <option key={key} value={key}>
            {t("From {name}", { name: title })}
          </option>
        ))}
      </select>
      <Switch
        id="copy-into"
        label={t("Into this segment")}
        on={settings.value.copyInto}
        hint={t("Else each part keeps the segment it has there")}
        onChange={(copyInto) => change({ copyInto })}
      />
      <div class="ops">
        <Button
          icon="copy"
          testid="op-copy"
          disabled={off}
          title={t("Copy everything")}
          onClick={() => void operations.copy(from.key, true)}
        >
          {t("Everything")}
        </Button>
        <Button
          icon="copy-plus"
          testid="op-copy-lesion"
          disabled={off}
          title={t("Copy the lesion at the crosshair")}
          keys={from.key === "prediction" ? "Alt+L" : undefined}
          onClick={() => void operations.copy(from.key, false)}
        >
          {t("Lesion")}
        </Button>
      </div>
    </>
  );
}
