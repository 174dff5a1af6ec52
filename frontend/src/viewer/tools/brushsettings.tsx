/** Settings that tools share: how far they reach and what they take. */

import { RADIUS_RANGE, TOLERANCE_RANGE, setRadius, toleranceWords } from "./radius";
import { t } from "../../ground/language";
import { Slider, Switch } from "../controls/controls";
import { change, settings } from "../../ground/settings";
import type { Brush } from "./tool";

export function Radius({ brush }: { readonly brush: Brush }) {
  const mm = settings.value[brush.radius];
  return (
    <Slider
      id="radius"
      label={t("Radius")}
      value={mm}
      min={RADIUS_RANGE.min}
      max={RADIUS_RANGE.max}
      step={0.5}
      text={`${mm} mm`}
      hint={t("Shift + wheel")}
      onChange={(v) => setRadius(brush, v)}
    />
  );
}

export function LivePreview() {
  return (
    <Switch
      id="live-preview"
      label={t("Live preview")}
      on={settings.value.livePreview}
      hint={t("Show what a stroke would take")}
      onChange={(livePreview) => change({ livePreview })}
    />
  );
}

export function Overwrite() {
  return (
    <Switch
      id="overwrite"
      label={t("Overwrite others")}
      on={settings.value.overwrite}
      hint={t("Take voxels of other segments too; locked ones stay")}
      onChange={(overwrite) => change({ overwrite })}
    />
  );
}

/** Voxels; the slider goes in steps that look alike, the last is no ceiling. */
const CEILINGS = [1e3, 2e3, 5e3, 10e3, 20e3, 40e3, 60e3, 100e3, 150e3, 250e3, 500e3, 1e6, 0];

export function Ceiling() {
  const { ceiling } = settings.value;
  const at = Math.max(
    0,
    CEILINGS.findIndex((n) => n === 0 || (ceiling > 0 && n >= ceiling)),
  );
  const text = ceiling === 0 ? t("None") : ceiling >= 1e6 ? `${ceiling / 1e6} M` : `${ceiling / 1000} k`;
  return (
    <Slider
      id="ceiling"
      label={t("Voxel ceiling")}
      value={ceiling === 0 ? CEILINGS.length - 1 : at}
      min={0}
      max={CEILINGS.length - 1}
      text={text}
      hint={t("A stroke that would take more takes nothing")}
      onChange={(n) => change({ ceiling: CEILINGS[n] ?? 0 })}
    />
  );
}

export function Tolerance() {
  const { tolerance } = settings.value;
  return (
    <Slider
      id="tolerance"
      label={t("Tolerance")}
      value={tolerance}
      min={TOLERANCE_RANGE.min}
      max={TOLERANCE_RANGE.max}
      text={`${tolerance} %, ${t(toleranceWords(tolerance))}`}
      hint={t("Alt + wheel; smaller paints more")}
      onChange={(value) => change({ tolerance: value })}
    />
  );
}

/** Whether the lung limit counts; `hint` says how. */
export function StayInLung({ label, hint }: { readonly label: string; readonly hint: string }) {
  return (
    <Switch
      id="use-limit"
      label={label}
      on={settings.value.useLimit}
      keys="I"
      hint={hint}
      onChange={(useLimit) => change({ useLimit })}
    />
  );
}

export function GrowSwitches({ isInLungs }: { readonly isInLungs: boolean }) {
  const now = settings.value;
  return (
    <>
      {isInLungs && (
        <StayInLung
          label={t("Stay in the lung if begun in it")}
          hint={t("A stroke that begins outside the lung is not limited")}
        />
      )}
      <Switch
        id="planar"
        label={t("This slice only")}
        on={now.planar}
        keys="S"
        hint={t("Grow in the axial slice only")}
        onChange={(planar) => change({ planar })}
      />
      <Switch
        id="grow-fill"
        label={t("Fill holes")}
        on={now.growFill}
        hint={t("Take in what the region encloses")}
        onChange={(growFill) => change({ growFill })}
      />
      <Switch
        id="exclude-vessels"
        label={t("Exclude vessels")}
        on={now.excludeVessels}
        hint={t("Nothing brighter than the seed by more than 200 HU")}
        onChange={(excludeVessels) => change({ excludeVessels })}
      />
      <Switch
        id="strong-control"
        label={t("Strong leakage control")}
        on={now.strongControl}
        hint={t("Cut bridges thinner than 4 mm instead of 2 mm")}
        onChange={(strongControl) => change({ strongControl })}
      />
      <LivePreview />
    </>
  );
}
