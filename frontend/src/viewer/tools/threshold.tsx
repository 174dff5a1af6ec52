/** The threshold brush: what of a ball lies within a window of HU. */

import { msg, t } from "../../ground/language";
import { Button, Switch } from "../controls/controls";
import { change, settings } from "../../ground/settings";
import { hu } from "../../ground/words";
import { brushTool, overwrites, rulesOf, said } from "./brushes";
import { LivePreview, Overwrite, Radius } from "./brushsettings";
import type { Brush, ToolHost } from "./tool";

/** Names and windows that a radiologist knows, HU. */
export const WINDOWS: readonly { readonly name: string; readonly lo: number; readonly hi: number }[] = [
  { name: msg("Ground glass"), lo: -750, hi: -300 },
  { name: msg("Consolidation"), lo: -300, hi: 50 },
  { name: msg("Soft tissue"), lo: -100, hi: 200 },
  { name: msg("Calcification"), lo: 130, hi: 3071 },
];

/** What can be set; an end that lies here is open: metal and extended scales reach further. */
const RANGE = { min: -1024, max: 3071 };
const OPEN = { min: -32768, max: 32767 };
const HERE_MM = 3,
  HERE_SD = 2,
  LEAST_HALF_HU = 20;

/** Sets the window from the voxels round the cursor (else the crosshair): mean ± 2 standard deviations within 3 mm. */
export function windowFromHere({ session, stage }: ToolHost): void {
  const volume = session.volume.value;
  const [ci, cj, ck] = stage.value?.cursor.value?.ijk ?? session.cross.value;
  const [sz, sy, sx] = session.geometry.spacingMmZyx;
  const [depth, rows, columns] = session.geometry.shapeZyx;
  const values: number[] = [];
  for (let k = Math.max(0, Math.ceil(ck - HERE_MM / sz)); k <= Math.min(depth - 1, ck + HERE_MM / sz); k++) {
    for (let j = Math.max(0, Math.ceil(cj - HERE_MM / sy)); j <= Math.min(rows - 1, cj + HERE_MM / sy); j++) {
      for (let i = Math.max(0, Math.ceil(ci - HERE_MM / sx)); i <= Math.min(columns - 1, ci + HERE_MM / sx); i++) {
        const inside = Math.hypot((i - ci) * sx, (j - cj) * sy, (k - ck) * sz) <= HERE_MM;
        const value = inside ? volume?.at(i, j, k) : null;
        if (value != null) values.push(value);
      }
    }
  }
  if (values.length === 0) return;
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  const half = Math.max(HERE_SD * sd, LEAST_HALF_HU);
  setWindow(Math.round(mean - half), Math.round(mean + half));
}

/** Both ends stay in order: the one that moves pushes the other. */
function setWindow(lo: number, hi: number): void {
  const clamp = (v: number) => Math.min(Math.max(Math.round(v), RANGE.min), RANGE.max);
  change({ thresholdLo: clamp(lo), thresholdHi: clamp(hi) });
}

const brush: Brush = {
  radius: "thresholdMm",
  previews: true,
  pressure: true,
  switched: () => said([[settings.value.thresholdPlanar, t("this slice")], overwrites()]),
  stroke: (session, plane) => {
    const now = settings.value;
    return {
      tool: "threshold",
      radiusMm: now.thresholdMm,
      threshold: {
        lo: now.thresholdLo <= RANGE.min ? OPEN.min : now.thresholdLo,
        hi: now.thresholdHi >= RANGE.max ? OPEN.max : now.thresholdHi,
      },
      planar: now.thresholdPlanar,
      plane,
      ...rulesOf(session),
    };
  },
};

function Bound({
  id,
  label,
  value,
  onChange,
}: {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
}) {
  return (
    <label class="small bound">
      {label}
      <input
        id={id}
        data-testid={id}
        class="input"
        type="number"
        min={RANGE.min}
        max={RANGE.max}
        step={10}
        value={value}
        onChange={(e) => onChange(e.currentTarget.valueAsNumber || 0)}
      />
    </label>
  );
}

export const threshold = brushTool(brush, {
  name: "threshold",
  straight: () => settings.value.thresholdPlanar,
  title: "Threshold brush",
  words: "Paints what lies within a window of HU. What you erased stays erased.",
  key: "T",
  icon: "pipette",
  Settings: ({ host }) => {
    const now = settings.value;
    const { thresholdLo: lo, thresholdHi: hi } = now;
    return (
      <>
        <Radius brush={brush} />
        <div class="row bounds" role="group" aria-label={t("HU window of the brush")}>
          <Bound id="threshold-lo" label={t("From HU")} value={lo} onChange={(v) => setWindow(v, Math.max(v, hi))} />
          <Bound id="threshold-hi" label={t("to HU")} value={hi} onChange={(v) => setWindow(Math.min(lo, v), v)} />
        </div>
        <div class="ops presets">
          {WINDOWS.map((w) => (
            <Button
              key={w.name}
              pressed={w.lo === lo && w.hi === hi}
              title={`${t(w.name)}: ${hu(w.lo)} … ${hu(w.hi)} HU`}
              onClick={() => setWindow(w.lo, w.hi)}
            >
              {t(w.name)}
            </Button>
          ))}
          <Button
            icon="pipette"
            kind="wide"
            testid="threshold-here"
            title={t("Mean ± 2 standard deviations around the cursor")}
            keys="Alt+T"
            onClick={() => windowFromHere(host)}
          >
            {t("From the crosshair")}
          </Button>
        </div>
        <hr />
        <Switch
          id="threshold-planar"
          label={t("This slice only")}
          on={now.thresholdPlanar}
          hint={t("A circle instead of a ball")}
          onChange={(thresholdPlanar) => change({ thresholdPlanar })}
        />
        <LivePreview />
        <Overwrite />
      </>
    );
  },
});
