/** Operations on the whole segment: shape, other regions, other segments, copies. */

import { useEffect, useRef } from "preact/hooks";
import { useDesk, type Desk } from "../desk/desk";
import { t } from "../../ground/language";
import { figure } from "../../ground/words";
import { resizeMm } from "../tools/operations";
import { change, settings } from "../../ground/settings";
import { Button } from "../controls/controls";
import { Icon, type IconName } from "../controls/icons";
import { useScript } from "../controls/script";

const loadMore = () => import("./more");

interface Act {
  readonly id: string;
  readonly icon: IconName;
  readonly keys: string;
  readonly title: string;
  readonly words: string;
  readonly run: () => Promise<unknown>;
}

/** The operations that need nothing but the segment. */
function actsOf({ session, operations }: Desk): readonly Act[] {
  const now = settings.value;
  const islands = `${now.islandsMl} ${session.unit}`;
  const mm = resizeMm(session);
  const { shape_zyx: shape, spacing_mm_zyx: spacing } = session.context.scan;
  const [apart] = spacing;
  const within = shape[0] > 1 && mm < apart;
  return [
    {
      id: "interpolate",
      icon: "layers-2",
      keys: "Alt+J",
      title: t("Fill between the drawn slices of the active pane"),
      words: t("Interpolate"),
      run: () => operations.interpolate(),
    },
    {
      id: "fill-holes",
      icon: "paint-bucket",
      keys: "Shift+U",
      title: t("Fill what the segment encloses"),
      words: t("Fill holes"),
      run: () => operations.fillHoles(),
    },
    {
      id: "islands",
      icon: "circle-minus",
      keys: "Alt+I",
      title: t("Remove parts under {amount}", { amount: islands }),
      words: t("Islands"),
      run: () => operations.removeIslands(),
    },
    {
      id: "smooth",
      icon: "waves",
      keys: "Alt+S",
      title: t("Take off spikes and pits below {mm} mm", { mm: now.smoothMm }),
      words: t("Smooth"),
      run: () => operations.smooth(),
    },
    {
      id: "grow",
      icon: "expand",
      keys: "Alt+G",
      title: within ? t("Grow within the slices: they lie {mm} mm apart", { mm: figure(apart) }) : t("Grow all round"),
      words: t("Grow {mm} mm", { mm: figure(mm) }),
      run: () => operations.grow(),
    },
    {
      id: "shrink",
      icon: "shrink",
      keys: "Shift+G",
      title: within
        ? t("Shrink within the slices: they lie {mm} mm apart", { mm: figure(apart) })
        : t("Shrink all round"),
      words: t("Shrink {mm} mm", { mm: figure(mm) }),
      run: () => operations.shrink(),
    },
  ];
}

export function WholeSegment() {
  const desk = useDesk();
  const { session } = desk;
  const now = settings.value;
  const more = useScript(loadMore, now.moreOperations || session.phase.value !== "opening");
  const details = useRef<HTMLDetailsElement>(null);
  const shows = useRef(false); // opened just now, by hand: what came must be seen, when it has come
  useEffect(() => {
    if (!shows.current || !more) return;
    shows.current = false;
    details.current?.scrollIntoView({ block: "nearest" });
  });
  const off = !session.editable.value || session.working.value !== null;
  return (
    <>
      <h3>{t("Whole segment")}</h3>
      <div class="ops" data-testid="operations" aria-busy={session.working.value !== null}>
        {actsOf(desk).map(({ id, icon, keys, title, words, run }) => (
          <Button
            key={id}
            icon={icon}
            testid={`op-${id}`}
            disabled={off}
            title={title}
            keys={keys}
            onClick={() => void run()}
          >
            {words}
          </Button>
        ))}
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
        ref={details}
        class="more"
        open={now.moreOperations}
        onToggle={(e) => {
          const { open } = e.currentTarget;
          if (open === settings.value.moreOperations) return;
          change({ moreOperations: open });
          if (open) shows.current = true;
        }}
      >
        <summary class="small" data-testid="more-operations">
          {t("More: sizes, segments, copies")}
        </summary>
        {more && <more.More off={off} />}
      </details>
    </>
  );
}
