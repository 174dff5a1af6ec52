/** Operations with another region: of this mask, of an overlay, the lungs. */

import { useState } from "preact/hooks";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import { change, settings } from "../../ground/settings";
import { Button, Slider, Switch } from "../controls/controls";

export interface Part {
  readonly off: boolean;
}

/**
 * Regions to combine with: other segments of the mask, overlays, the lungs. `overlay/segment`, empty for "this mask"
 * and "any".
 */
function useRegions(): readonly { readonly value: string; readonly words: string }[] {
  const { session } = useDesk();
  void session.mirror?.version.value;
  return [
    ...session.segments
      .filter(({ id }) => id !== session.selection.segment.value)
      .map(({ id, name }) => ({ value: `/${id}`, words: name })),
    ...session.context.overlays
      .filter(({ key }) => session.overlays.loaded.value.has(key))
      .map(({ key, title }) => ({ value: `${key}/`, words: title })),
    ...(session.mirror?.hasLimit ? [{ value: "limit/", words: t("Lungs") }] : []),
  ];
}

export function Combine({ off }: Part) {
  const now = settings.value;
  const regions = useRegions();
  const [chosen, choose] = useState("");
  const value = regions.find((r) => r.value === chosen)?.value ?? regions[0]?.value;
  if (!value) return null;
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
      <Ways off={off} region={value} />
    </>
  );
}

/** The three ways to combine the segment with a region. */
function Ways({ off, region }: Part & { readonly region: string }) {
  const { operations } = useDesk();
  const [overlay = "", other] = region.split("/");
  const inMask = overlay === "";
  const combine = (op: "union" | "intersect" | "subtract") =>
    void operations.combine(op, inMask ? null : overlay, other ? Number(other) : null);
  const apart = inMask && settings.value.marginMm === 0;
  const why = apart ? t("Segments of one mask never overlap: set a margin") : undefined;
  return (
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
  );
}

export function Copy({ off }: Part) {
  const { session, operations } = useDesk();
  const sources = session.context.overlays.filter(({ key }) => session.overlays.loaded.value.has(key));
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
