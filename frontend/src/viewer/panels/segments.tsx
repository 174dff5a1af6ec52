/** What is marked: segments with their figures, and the single lesions. */

import { currentKey, withKey } from "../commands/keys";
import { useDesk } from "../desk";
import { msg, t } from "../language";
import { toggled } from "../session";
import { wordOf } from "../severity";
import { fixed, ml } from "../words";
import { Icon } from "./icons";
import { LesionFacts, LesionTable } from "./lesions";

export function SegmentsTab() {
  return (
    <>
      <SegmentList />
      <AnatomyList />
      <Figures />
      <div class="sec flush grow">
        <LesionTable />
      </div>
      <LesionFacts />
    </>
  );
}

function SegmentList() {
  const { session } = useDesk();
  const { hidden, locked } = session;
  const perSegment = (id: number) => session.lesions.value.filter((l) => l.segment === id).length;
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
        {session.segments.map((segment, n) => {
          const on = session.segment.value === segment.id;
          const isHidden = hidden.value.has(segment.id),
            isLocked = locked.value.has(segment.id),
            name = { name: segment.name };
          const eye = isHidden ? t("Show {name}", name) : t("Hide {name}", name),
            bolt = isLocked ? t("Unlock {name}", name) : t("Lock {name}", name);
          return (
            <li
              key={segment.id}
              class={on ? "on" : ""}
              data-testid={`segment-${segment.id}`}
              data-voxels={session.stats.value.segments.find((s) => s.segment === segment.id)?.voxels ?? 0}
            >
              <button
                type="button"
                class="pick"
                aria-pressed={on}
                title={withKey(t("Draw {name}", { name: segment.name }), n < 8 ? String(n + 1) : undefined)}
                onClick={() => {
                  session.segment.value = segment.id;
                }}
              >
                <span class="k">{n < 8 ? currentKey(String(n + 1)) : ""}</span>
                <span class="swatch" style={`--c:${segment.colour}`} />
                <span class={`grow clip${on ? " medium" : ""}`}>{segment.name}</span>
                <span class="num faint c">{perSegment(segment.id)}</span>
                <span class="num ml">{ml(session.mlOf(segment.id))}</span>
              </button>
              <button
                type="button"
                class={`mini${isHidden ? " off" : ""}`}
                aria-label={eye}
                title={eye}
                onClick={() => {
                  hidden.value = toggled(hidden.value, segment.id);
                }}
              >
                <Icon name={isHidden ? "eye-off" : "eye"} size="sm" />
              </button>
              <button
                type="button"
                class={`mini${isLocked ? "" : " off"}`}
                aria-label={bolt}
                title={bolt}
                onClick={() => {
                  locked.value = toggled(locked.value, segment.id);
                }}
              >
                <Icon name={isLocked ? "lock" : "lock-open"} size="sm" />
              </button>
            </li>
          );
        })}
      </ul>
    </div>
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
        const there = layer.segments.filter((s) => parts?.has(s.id));
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
              {there.map(({ id, name, colour }) => {
                const { voxels, percent } = parts!.get(id)!;
                const isShown = anatomy.isShown(layer.key, id);
                const words = isShown ? t("Hide {name}", { name }) : t("Show {name}", { name });
                return (
                  <li key={id} data-testid={`part-${id}`} data-percent={percent.toFixed(2)}>
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
                    <button
                      type="button"
                      class={`mini${isShown ? "" : " off"}`}
                      aria-label={words}
                      aria-pressed={isShown}
                      title={words}
                      onClick={() => anatomy.toggle(layer.key, id)}
                    >
                      <Icon name={isShown ? "eye" : "eye-off"} size="sm" />
                    </button>
                    <span class="mini off" title={t("Read only")}>
                      <Icon name="lock" size="sm" />
                    </span>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
    </>
  );
}

/** A share in per cent: two decimals below one tenth, else one; never "0.0" for what is there. */
function percentWords(percent: number): string {
  return percent === 0 ? "0 %" : `${fixed(percent, percent < 0.095 ? 2 : 1)} %`;
}

const SHARE_OF = {
  anatomy: msg("Opacity inside the lungs of the anatomy layer, of those lungs (Yoo et al. 2022)"),
  limit: msg(
    "Opacity inside the brush’s lung limit, of that limit: aerated lung, closed by 10 mm. It is not a segmentation of the lungs; without an anatomy layer it is the nearest there is",
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
            "CT severity score: five lobes of 0 to 5 by the share involved (below 5, 25, 50, 75, 100 %), after Pan et al. 2020. Lobes that are not in the layer count 0: {n}",
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
  void session.mirror?.version.value;
  const against = session.context.overlays.find((o) => o.key === session.mirror?.compareWith);
  const totals = against && session.mirror.complete.value ? session.mirror.totals() : null;
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
