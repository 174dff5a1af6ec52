/** The edge of the right panel: drag it, or move it with the arrow keys, to make the panel wider. */

import { useEffect, useRef } from "preact/hooks";
import { t } from "../../ground/language";
import { change, settings } from "../../ground/settings";

const NARROWEST = 260,
  WIDEST = 640,
  STEP = 16;

const within = (px: number): number => Math.round(Math.min(Math.max(px, NARROWEST), WIDEST));

/** Until somebody moves it the style sheet says how wide the panel is. */
export function PanelEdge() {
  const edge = useRef<HTMLDivElement>(null);
  const { sideWidth } = settings.value;
  useEffect(() => {
    const page = edge.current?.closest<HTMLElement>("#viewer");
    if (sideWidth) page?.style.setProperty("--side", `${within(sideWidth)}px`);
    else page?.style.removeProperty("--side");
  }, [sideWidth]);
  const width = () => edge.current?.parentElement?.getBoundingClientRect().width ?? NARROWEST;
  const drag = (event: PointerEvent) => {
    if (!(event.buttons & 1)) return;
    const right = edge.current?.parentElement?.getBoundingClientRect().right ?? innerWidth;
    change({ sideWidth: within(right - event.clientX) });
  };
  const keys = (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" ? STEP : event.key === "ArrowRight" ? -STEP : 0;
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    change({ sideWidth: within((settings.value.sideWidth || width()) + by) });
  };
  return (
    <div
      ref={edge}
      class="edge"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t("Width of the panel")}
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      aria-valuenow={sideWidth ? within(sideWidth) : Math.round(width())}
      title={t("Drag, or arrow keys, for a wider panel; a double press takes it back")}
      data-testid="panel-edge"
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
      onPointerMove={drag}
      onDblClick={() => change({ sideWidth: 0 })}
      onKeyDown={keys}
    />
  );
}
