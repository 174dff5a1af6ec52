/** The figures of a region. */

import { t } from "../../ground/language";
import { settings, change } from "../../ground/settings";
import { regionWords } from "../stage/regions";
import type { ToolDefinition } from "./tool";

export const region: ToolDefinition = {
  name: "region",
  title: "Region statistics",
  words: "Drag an ellipse or a rectangle; drag it or its corners to change it. Delete removes it.",
  key: "Shift+M",
  icon: "square-dashed",
  group: "mark",
  cursor: "crosshair",
  straight: true,
  press: ({ stage }, at) => stage.value?.regions.press(at) ?? null,
  enter: ({ session, stage }) => stage.value?.regions.addAround(session.activePlane.value, session.cross.value),
  Settings: ({ host }) => {
    const regions = host.stage.value?.regions;
    const kind = settings.value.regionKind;
    const chosen = regions?.list.value.find((r) => r.id === regions.selected.value);
    return (
      <>
        <div class="segmented" role="group" aria-label={t("Shape")}>
          {(
            [
              ["ellipse", t("Ellipse")],
              ["rectangle", t("Rectangle")],
            ] as const
          ).map(([value, words]) => (
            <button
              type="button"
              key={value}
              data-testid={`region-${value}`}
              aria-pressed={kind === value}
              onClick={() => change({ regionKind: value })}
            >
              {words}
            </button>
          ))}
        </div>
        {chosen && (
          <ul class="small regionfacts" aria-live="polite" data-testid="region-facts">
            {regionWords(chosen, host.session.valueUnit).map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        )}
      </>
    );
  },
};
