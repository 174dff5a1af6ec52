/** What is marked: segments with their figures, and the single lesions. */

import { currentKey, withKey } from "../../ground/shortcuts";
import { useDesk } from "../desk/desk";
import type { Segment } from "../../ground/contract";
import { msg, t } from "../../ground/language";
import { wordOf } from "../scan/severity";
import { fixed, ml } from "../../ground/words";
import { Icon, type IconName } from "../controls/icons";
import { LesionFacts, LesionTable } from "./lesions";
import { ProposedLine } from "./proposed";

export function SegmentsTab() {
  return (
    <>
      <SegmentList />
      <AnatomyList />
      <Figures />
      <ProposedLine />
      <div class="sec flush grow">
        <LesionTable />
      </div>
      <LesionFacts isShort />
    </>
  );
}

function SegmentList() {
  const { session } = useDesk();
  return (
    <div class="sec">
      <div class="row between">
        <h3>{session.layer.title}</h3>
        <span class="tiny faint head">
          <span class="c">{t("no.")}</span>
          <span class="ml">{session.unit}</span>
        </span>
      </div>
      <ul class="segs">
        {session.segments.map((segment, n) => (
          <SegmentRow key={segment.id} segment={segment} digit={n < 8 ? String(n + 1) : undefined} />
        ))}
      </ul>
    </div>
  );
}

/** A segment: draw with it, hide it, lock it. `digit` is its key. */
function SegmentRow({ segment, digit }: { readonly segment: Segment; readonly digit: string | undefined }) {
  const { session } = useDesk();
  const { selection } = session;
  const { id, name, colour } = segment;
  const on = selection.segment.value === id;
  const isHidden = selection.hidden.value.has(id),
    isLocked = selection.locked.value.has(id);
  const lesions = session.lesions.value.filter((l) => l.segment === id).length;
  return (
    <li
      class={on ? "on" : ""}
      data-testid={`segment-${id}`}
      data-voxels={session.stats.value.segments.find((s) => s.segment === id)?.voxels ?? 0}
    >
      <button
        type="button"
        class="pick"
        aria-pressed={on}
        title={withKey(t("Draw {name}", { name }), digit)}
        onClick={() => {
          selection.drawWith(id);
        }}
      >
        <span class="k">{digit ? currentKey(digit) : ""}</span>
        <span class="swatch" style={`--c:${colour}`} />
        <span class={`grow clip${on ? " medium" : ""}`}>{name}</span>
        <span class="num faint c">{lesions}</span>
        <span class="num ml">{ml(session.mlOf(id))}</span>
      </button>
      <Mini
        icon={isHidden ? "eye-off" : "eye"}
        off={isHidden}
        words={isHidden ? t("Show {name}", { name }) : t("Hide {name}", { name })}
        onPress={() => selection.toggleHidden(id)}
      />
      <Mini
        icon={isLocked ? "lock" : "lock-open"}
        off={!isLocked}
        words={isLocked ? t("Unlock {name}", { name }) : t("Lock {name}", { name })}
        onPress={() => selection.toggleLocked(id)}
      />
    </li>
  );
}

/** A small button at the end of a row. */
function Mini({
  icon,
  off,
  words,
  pressed,
  onPress,
}: {
  readonly icon: IconName;
  readonly off: boolean;
  readonly words: string;
  readonly pressed?: boolean;
  readonly onPress: () => void;
}) {
  return (
    <button
      type="button"
      class={`mini${off ? " off" : ""}`}
      aria-label={words}
      aria-pressed={pressed}
      title={words}
      onClick={onPress}
    >
      <Icon name={icon} size="sm" />
    </button>
  );
}

/** Lungs and lobes: read only, hidden until asked for, each with its volume and the share that is involved. */
function AnatomyList() {
  const { session } = useDesk();
  const { anatomy } = session;
  return (
    <>
      {anatomy.layers.map((layer) => {
        const parts = anatomy.figures.value.get(layer.key)?.parts;
        return (
          <div class="sec" key={layer.key} data-testid={`given-${layer.name}`}>
            <div class="row between">
              <h3>{layer.title}</h3>
              <span class="tiny faint">{t("read only, {source}", { source: layer.source || t("imported") })}</span>
            </div>
            {!parts && (
              <p class="small faint" role="status">
                {anatomy.loaded.value.has(layer.key) ? t("Counting…") : t("Loading…")}
              </p>
            )}
            <ul class="segs">
              {layer.segments.map((segment) => {
                const part = parts?.get(segment.id);
                return part && <PartRow key={segment.id} layer={layer.key} segment={segment} {...part} />;
              })}
            </ul>
          </div>
        );
      })}
    </>
  );
}

function PartRow({
  layer,
  segment: { id, name, colour },
  voxels,
  percent,
}: {
  readonly layer: string;
  readonly segment: Pick<Segment, "id" | "name" | "colour">;
  readonly voxels: number;
  readonly percent: number;
}) {
  const { session } = useDesk();
  const { anatomy } = session;
  const isShown = anatomy.isShown(layer, id);
  return (
    <li data-testid={`part-${id}`} data-percent={percent.toFixed(2)}>
      <span class="pick given">
        <span class="k" />
        <span class="swatch" style={`--c:${colour}`} />
        <span class="grow clip" title={name}>
          {name}
        </span>
        <span class="num faint share" title={t("Share that is marked as opacity")}>
          {percentWords(percent)}
        </span>
        <span class="num ml">{ml(voxels * session.voxelMl)}</span>
      </span>
      <Mini
        icon={isShown ? "eye" : "eye-off"}
        off={!isShown}
        words={isShown ? t("Hide {name}", { name }) : t("Show {name}", { name })}
        pressed={isShown}
        onPress={() => anatomy.toggle(layer, id)}
      />
      <span class="mini off" title={t("Read only")}>
        <Icon name="lock" size="sm" />
      </span>
    </li>
  );
}

/** A share in per cent: two decimals below one tenth, else one; never "0.0" for what is there. */
function percentWords(percent: number): string {
  return percent === 0 ? "0 %" : `${fixed(percent, percent < 0.095 ? 2 : 1)} %`;
}

const SHARE_OF = {
  anatomy: msg("Opacity inside the lungs of the anatomy layer, of those lungs (Yoo et al. 2022)"),
  limit: msg(
    "Opacity inside the brush’s lung limit, of that limit: aerated lung, closed by 10 mm. It is not a " +
      "segmentation of the lungs; without an anatomy layer it is the nearest there is",
  ),
} as const;

function LungFigures() {
  const {
    session: { anatomy },
  } = useDesk();
  const lungs = anatomy.lungs.value,
    severity = anatomy.score.value;
  return (
    <>
      {lungs && (
        <div title={t(SHARE_OF[lungs.of])}>
          <dt>{lungs.of === "anatomy" ? t("Lung involved") : t("Of lung limit")}</dt>
          <dd data-testid="lung-share" data-of={lungs.of}>
            {percentWords(lungs.percent).replace(" %", "")}
            <small> %</small>
          </dd>
        </div>
      )}
      {severity && (
        <div
          title={t(
            "CT severity score: five lobes of 0 to 5 by the share involved (below 5, 25, 50, 75, 100 %), after " +
              "Pan et al. 2020. Lobes that are not in the layer count 0: {n}",
            { n: severity.grades.filter((g) => g === null).length },
          )}
        >
          <dt>{t("CT severity")}</dt>
          <dd data-testid="ct-severity">
            {severity.score}
            <small> / 25 {t(wordOf(severity.score))}</small>
          </dd>
        </div>
      )}
    </>
  );
}

function Figures() {
  const { session } = useDesk();
  const total = session.stats.value.segments.reduce((sum, s) => sum + s.ml, 0);
  const { mirror } = session;
  void mirror?.version.value;
  const against = session.context.overlays.find((o) => o.key === mirror?.compareWith);
  const totals = against && mirror?.complete.value ? mirror.totals() : null;
  return (
    <dl class="sec stats">
      <div>
        <dt>{t("Marked")}</dt>
        <dd data-testid="total-ml">
          {ml(total)}
          <small> {session.unit}</small>
        </dd>
      </div>
      <LungFigures />
      {totals && (
        <>
          <div title={t("Against {title}", { title: against?.title ?? "" })}>
            <dt>{t("Added")}</dt>
            <dd>
              {ml(totals.added * session.voxelMl)}
              <small> {session.unit}</small>
            </dd>
          </div>
          <div title={t("Against {title}", { title: against?.title ?? "" })}>
            <dt>{t("Removed")}</dt>
            <dd>
              {ml(totals.removed * session.voxelMl)}
              <small> {session.unit}</small>
            </dd>
          </div>
        </>
      )}
    </dl>
  );
}
