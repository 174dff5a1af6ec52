/** How the panes stand: buttons for layouts, cine, oblique planes. */

import { withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import { t } from "../../ground/language";
import type { Stage } from "../stage/stage";
import { change, settings } from "../../ground/settings";
import { Button, Slider } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";
import { Menu } from "../controls/menu";

export function Cine({ stage }: { readonly stage: Stage }) {
  const { session } = useDesk();
  const { cine } = stage;
  if (session.geometry.shapeZyx[0] === 1) return null;
  return (
    <span class="row-tight">
      <Button
        icon={cine.playing.value ? "pause" : "play"}
        kind="btn-ghost"
        label={cine.playing.value ? t("Stop cine") : t("Play cine")}
        keys="Shift+P"
        pressed={cine.playing.value}
        testid="cine"
        onClick={() => cine.toggle()}
      />
      {cine.playing.value && (
        <Menu
          label={t("Cine speed")}
          title={withKey(t("Slices a second"), "Shift+ArrowUp", "Shift+ArrowDown")}
          words={`${settings.value.cineFps} /s`}
          testid="cine-speed"
        >
          <Slider
            id="cine-fps"
            label={t("Slices a second")}
            value={settings.value.cineFps}
            min={2}
            max={40}
            text={`${settings.value.cineFps}`}
            onChange={(cineFps) => change({ cineFps })}
          />
        </Menu>
      )}
    </span>
  );
}

export function Oblique({ stage }: { readonly stage: Stage }) {
  const { session } = useDesk();
  const { planes } = stage;
  if (session.geometry.shapeZyx[0] === 1) return null;
  const words = planes.turning.value
    ? t("Lock the planes as they stand")
    : planes.turned.value
      ? t("Turn the planes again (locked)")
      : t("Turn the planes by the crosshair's handles");
  return (
    <Button
      icon="axis-3d"
      kind="btn-ghost"
      label={words}
      keys="Shift+O"
      pressed={planes.turning.value}
      testid="oblique"
      onClick={() => {
        planes.toggleTurning();
      }}
    />
  );
}

export function Layouts({ stage }: { readonly stage: Stage | null }) {
  const desk = useDesk();
  const { session } = desk;
  if (session.context.scan.shape_zyx[0] === 1) return null;
  const one = stage?.maximised.value ?? null;
  const choice = one ? "one" : (stage?.layout.value ?? "four");
  const choose = (to: "four" | "large" | "one") => {
    if (!stage) return;
    stage.maximise(to === "one" ? session.activePlane.value : null);
    if (to !== "one") stage.arrange(to);
  };
  const buttons: readonly ["four" | "large" | "one", string, string, IconName][] = [
    ["four", t("Two by two"), "F", "grid-2x2"],
    ["large", t("One large, two small"), "Shift+F", "layout-panel-left"],
    ["one", t("One pane"), "F", "square"],
  ];
  return (
    <div class="segmented" role="group" aria-label={t("Layout")}>
      {buttons.map(([key, words, keys, icon]) => (
        <button
          type="button"
          key={key}
          aria-label={words}
          title={withKey(words, keys)}
          aria-pressed={choice === key}
          data-testid={`layout-${key}`}
          onClick={() => choose(key)}
        >
          <Icon name={icon} size="sm" />
        </button>
      ))}
      {desk.prior && (
        <button
          type="button"
          aria-label={t("Beside the subject's other scan")}
          title={withKey(t("Beside the subject's other scan"), "Shift+X")}
          aria-pressed={choice === "compare"}
          data-testid="layout-compare"
          onClick={() => desk.compare()}
        >
          <Icon name="columns-2" size="sm" />
        </button>
      )}
    </div>
  );
}
