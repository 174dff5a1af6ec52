/** Thick slices: how the voxels along the way are joined, how many millimetres, on which panes. */

import { withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { SLAB_MM, SLAB_NAMES, type SlabKind } from "../geometry/slab";
import { msg, t } from "../../ground/language";
import { figure } from "../../ground/words";
import { setSlab, slabOf } from "../stage/slabs";
import type { Stage } from "../stage/stage";
import { change, settings } from "../../ground/settings";
import { Slider, Switch } from "../controls/controls";
import { Menu } from "../controls/menu";

const CHOICES: readonly [SlabKind | null, string][] = [
  [null, msg("Thin")],
  ["mip", SLAB_NAMES.mip],
  ["minip", SLAB_NAMES.minip],
  ["average", SLAB_NAMES.average],
];

export function SlabMenu({ stage }: { readonly stage: Stage }) {
  const { session } = useDesk();
  const slab = slabOf(stage);
  const pane = stage.panes[session.activePlane.value];
  const thick = (mm: number) => `${figure(pane.thicknessOf(mm))} mm`;
  if (session.geometry.shapeZyx[0] === 1) return null;
  return (
    <Menu
      icon="layers"
      label={t("Slab")}
      words={slab ? `${t(SLAB_NAMES[slab.kind])} ${thick(slab.mm)}` : t("Slab")}
      title={withKey(
        t("Thick slices: MIP, MinIP, average; thicker, thinner"),
        "Shift+S",
        "Shift+PageUp",
        "Shift+PageDown",
      )}
      active={slab !== null}
      testid="slab"
    >
      <div class="segmented" role="group" aria-label={t("Projection")}>
        {CHOICES.map(([kind, words]) => (
          <button
            type="button"
            key={words}
            aria-pressed={(slab?.kind ?? null) === kind}
            data-testid={`slab-${kind ?? "thin"}`}
            onClick={() => setSlab(stage, kind)}
          >
            {t(words)}
          </button>
        ))}
      </div>
      <Slider
        id="slab-mm"
        label={t("Thickness")}
        value={settings.value.slabMm}
        min={SLAB_MM.min}
        max={SLAB_MM.max}
        text={thick(settings.value.slabMm)}
        hint={pane.isOblique ? undefined : t("Whole slices of this pane, as many on both sides of the middle one")}
        onChange={(mm) => {
          change({ slabMm: mm });
          setSlab(stage, slab?.kind ?? null);
        }}
      />
      <Switch
        id="slab-everywhere"
        label={t("All panes")}
        on={settings.value.slabEverywhere}
        hint={t("Otherwise the active pane only")}
        onChange={(on) => change({ slabEverywhere: on })}
      />
      <p class="small faint">{t("The mask shown is that of the middle slice.")}</p>
    </Menu>
  );
}
