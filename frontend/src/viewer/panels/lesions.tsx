/** The single lesions: list, and what is known of the chosen one. */

import { useEffect, useState } from "preact/hooks";
import type { Lesion, LesionHistogram } from "../../editor/types";
import { useDesk } from "../desk/desk";
import { t, tn } from "../../ground/language";
import { settings } from "../../ground/settings";
import { hu, ml, signed } from "../../ground/words";
import { Kbd } from "../controls/controls";
import { locationOf } from "./location";
import { ProposedList } from "./proposed";

const MOST_ROWS = 200;
/** A change that the eye is led to: this much of the lesion, and at least this many mL. */
const LARGE_SHARE = 0.25,
  LARGE_ML = 1;

export function LesionsTab() {
  return (
    <>
      <ProposedList />
      <div class="sec flush grow">
        <LesionTable />
      </div>
      <LesionFacts />
    </>
  );
}

/** What the reader changed of what the model had. */
function Against({ lesion }: { readonly lesion: Lesion }) {
  if (lesion.modelMl === null) return null;
  if (lesion.modelMl === 0) return <td class="num faint">{t("new")}</td>;
  const change = lesion.ml - lesion.modelMl;
  const large = Math.abs(change) > Math.max(LARGE_ML, LARGE_SHARE * lesion.modelMl);
  return <td class={`num ${large ? "warn" : "faint"}`}>{Math.abs(change) < 0.05 ? "0.0" : signed(change)}</td>;
}

function LesionRow({
  lesion,
  n,
  compared,
}: {
  readonly lesion: Lesion;
  readonly n: number;
  readonly compared: boolean;
}) {
  const desk = useDesk();
  const { session } = desk;
  return (
    <tr aria-selected={desk.lesion.index.value === n}>
      <td>{n + 1}</td>
      <td>
        <button
          type="button"
          class="lesion"
          title={t("Show lesion {n}: {name}", { n: n + 1, name: session.segmentName(lesion.segment) })}
          onClick={() => desk.lesion.show(n)}
        >
          <span class="swatch" style={`--c:${session.colours.get(lesion.segment)}`} />
          <span class="clip">{locationOf(session, lesion)}</span>
        </button>
      </td>
      <td class="num">{ml(lesion.ml)}</td>
      {compared ? <Against lesion={lesion} /> : <td class="num faint">{hu(lesion.meanHu)}</td>}
    </tr>
  );
}

export function LesionTable() {
  const { session } = useDesk();
  const lesions = session.lesions.value;
  const compared = lesions.some(({ modelMl }) => modelMl !== null);
  return (
    <>
      <div class="row between leshead">
        <h3>{t("Lesions, largest first")}</h3>
        <span class="row-tight tiny faint">
          <Kbd keys="J" />
          <Kbd keys="K" /> {t("next, previous")}
        </span>
      </div>
      {lesions.length === 0 ? (
        <p class="small faint none">{t("Nothing is marked.")}</p>
      ) : (
        <table class="table les" data-testid="lesions">
          <thead>
            <tr>
              <th>#</th>
              <th>{t("Location")}</th>
              <th class="num">{session.unit}</th>
              {compared ? (
                <th
                  class="num"
                  title={t("{unit} more or less than the pre-annotation had here", { unit: session.unit })}
                >
                  {t("± model")}
                </th>
              ) : (
                <th class="num">{t("mean{unit}", { unit: session.valueUnit })}</th>
              )}
            </tr>
          </thead>
          <tbody>
            {lesions.slice(0, MOST_ROWS).map((lesion, n) => (
              <LesionRow key={`${lesion.segment}-${lesion.ijk.join()}`} lesion={lesion} n={n} compared={compared} />
            ))}
          </tbody>
        </table>
      )}
      {lesions.length > MOST_ROWS && (
        <p class="small faint none">
          {t("and {n}", { n: tn(lesions.length - MOST_ROWS, "{n} smaller one", "{n} smaller ones") })}
        </p>
      )}
    </>
  );
}

interface Brightness extends LesionHistogram {
  readonly lowerHu: number | null;
}

/** How bright a lesion is; null while it is not known. */
function useBrightness(lesion: Lesion | undefined): Brightness | null {
  const { session } = useDesk();
  const [brightness, setBrightness] = useState<Brightness | null>(null);
  const { tolerance } = settings.value;
  useEffect(() => {
    let isCurrent = true;
    if (!lesion || lesion.meanHu === null) {
      setBrightness(null);
      return;
    }
    // The lower bound is the one that growing from the lesion's middle would take.
    const grow = {
      tool: "grow" as const,
      radiusMm: 5,
      segment: lesion.segment,
      overwrite: false,
      locked: [],
      params: { tolerance },
    };
    void Promise.all([session.editor.histogram(lesion.ijk), session.editor.preview(grow, lesion.ijk)]).then(
      ([found, { lowerHu }]) => {
        if (isCurrent) setBrightness(found && { ...found, lowerHu });
      },
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [lesion, tolerance]);
  return brightness;
}

/** `isShort`: without the histogram, which would leave no room for the list. */
export function LesionFacts({ isShort = false }: { readonly isShort?: boolean }) {
  const desk = useDesk();
  const { session } = desk;
  const lesion = session.lesions.value[desk.lesion.index.value];
  const brightness = useBrightness(isShort ? undefined : lesion);
  if (!lesion) return null;
  const { box } = lesion;
  const [sz, sy, sx] = session.geometry.spacingMmZyx;
  const flat = session.geometry.shapeZyx[0] === 1;
  const size = [(box.x1 - box.x0) * sx, (box.y1 - box.y0) * sy, ...(flat ? [] : [(box.z1 - box.z0) * sz])]
    .map((v) => Math.round(v))
    .join(" × ");
  return (
    <div class="sec detail" data-testid="lesion-facts">
      <h3>
        {t("Lesion {n}", { n: desk.lesion.index.value + 1 })},{" "}
        <span class="medium">{locationOf(session, lesion).toLowerCase()}</span>
      </h3>
      <dl>
        <div>
          <dt>{t("Size")}</dt>
          <dd>{size} mm</dd>
        </div>
        <div>
          <dt>{t("Mean")}</dt>
          <dd>
            {hu(lesion.meanHu)}
            {session.valueUnit}
          </dd>
        </div>
        {!flat && (
          <div>
            <dt>{t("Slices")}</dt>
            <dd>{t("{first} to {last}", { first: box.z0 + 1, last: box.z1 })}</dd>
          </div>
        )}
      </dl>
      {brightness && (
        <Histogram of={brightness} unit={session.valueUnit} colour={session.colours.get(lesion.segment) ?? "#e8ac00"} />
      )}
    </div>
  );
}

const WIDTH = 280,
  HEIGHT = 52;

/** The path of the area under smoothed counts; null where nothing was counted. */
function areaUnder(counts: Uint32Array): string | null {
  const smooth = Array.from(counts, (c, n) => ((counts[n - 1] ?? c) + 2 * c + (counts[n + 1] ?? c)) / 4);
  const most = Math.max(...smooth);
  if (!most) return null;
  const line = smooth.map((count, n) => {
    const x = ((n + 0.5) / counts.length) * WIDTH;
    return `L${x.toFixed(1)} ${(HEIGHT - (count / most) * (HEIGHT - 14)).toFixed(1)}`;
  });
  return `M0 ${HEIGHT}${line.join("")}L${WIDTH} ${HEIGHT}Z`;
}

function Histogram({
  of: { lo, step, lesion, lung, lowerHu },
  unit,
  colour,
}: {
  readonly of: Brightness;
  readonly unit: string;
  readonly colour: string;
}) {
  const bins = lesion.length;
  const x = (value: number) => ((value - lo) / (step * bins)) * WIDTH;
  const [healthy, marked] = [areaUnder(lung), areaUnder(lesion)];
  const span = step * bins;
  const every = [50, 100, 200, 250, 500, 1000, 2500, 5000, 10_000, 20_000].find((n) => span / n <= 6) ?? 20_000;
  const ticks = Array.from({ length: 12 }, (_, n) => (Math.ceil(lo / every) + n) * every).filter(
    (value) => x(value) > 12 && x(value) < WIDTH - 16,
  );
  const words = t("Voxels by value{bound}", {
    bound: lowerHu === null ? "" : t(", lower bound {value}", { value: `${Math.round(lowerHu)}${unit}` }),
  });
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT + 16}`}
      role="img"
      aria-label={words}
      data-testid="histogram"
    >
      <title>{words}</title>
      {healthy && <path d={healthy} class="lungpart" />}
      {marked && <path d={marked} style={`fill:${colour};fill-opacity:.5;stroke:${colour}`} />}
      <path d={`M0 ${HEIGHT}H${WIDTH}`} class="axis" />
      {lowerHu !== null && x(lowerHu) > 0 && x(lowerHu) < WIDTH && (
        <>
          <path d={`M${x(lowerHu)} 2V${HEIGHT}`} class="bound" />
          <text
            x={x(lowerHu) > WIDTH - 120 ? x(lowerHu) - 4 : x(lowerHu) + 4}
            y="10"
            text-anchor={x(lowerHu) > WIDTH - 120 ? "end" : "start"}
          >
            {t("lower bound {hu}", { hu: hu(lowerHu) })}
          </text>
        </>
      )}
      {ticks.map((value, n) => (
        <text key={value} x={x(value)} y={HEIGHT + 12} text-anchor="middle">
          {hu(value)}
          {n === ticks.length - 1 ? unit : ""}
        </text>
      ))}
    </svg>
  );
}
