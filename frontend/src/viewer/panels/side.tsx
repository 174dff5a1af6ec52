/** The right panel: tabs, and what must be right before one submits. */

import { Feedback } from "./feedback";
import { PanelEdge } from "./widen";
import { useDesk, type Tab } from "../desk/desk";
import { t } from "../../ground/language";
import { Icon, type IconName } from "../controls/icons";
import { useScript } from "../controls/script";
import { Scout } from "./scout";
import { SegmentsTab } from "./segments";
import { shownQuestions } from "../work/questions";

/** Tabs that tell of places in the scan. */
const BESIDE_SCOUT: ReadonlySet<Tab> = new Set<Tab>(["segments", "lesions", "review"]);

/** One tab of the panel: `count` stands beside its words, `more` is said to screen readers only. */
interface TabFacts {
  readonly key: Tab;
  readonly words: string;
  readonly icon?: IconName;
  readonly count?: string | undefined;
  readonly hot?: boolean;
  readonly more?: string | undefined;
}

function useTabs(): readonly TabFacts[] {
  const { session, work, review } = useDesk();
  const { can, overlays } = session.context;
  const differences: TabFacts = {
    key: "review",
    words: t("Differences"),
    icon: "git-compare",
    count: review.left.value ? String(review.left.value) : undefined,
  };
  const required = shownQuestions(session.context.schema.questions, work.answers.value).filter((q) => q.required);
  const answered = required.filter((q) => q.key in work.answers.value).length;
  const open = work.comments.value.filter((c) => c.state !== "resolved").length + work.talk.drafts.value.length;
  const unread = work.talk.unread.value;
  return [
    { key: "segments", words: t("Segments") },
    { key: "lesions", words: t("Lesions") },
    ...(overlays.length || (can.comment && session.context.review) ? [differences] : []),
    {
      key: "questions",
      words: t("Questions"),
      count: required.length ? `${answered}/${required.length}` : undefined,
      hot: answered < required.length,
    },
    {
      key: "comments",
      words: t("Comments"),
      icon: "message-square",
      count: unread || open ? String(unread || open) : undefined,
      hot: open + unread > 0,
      more: unread ? t("new") : undefined,
    },
    { key: "history", words: t("History"), icon: "history" },
  ];
}

const loadTabs = () => import("./tabs");

export function Side() {
  const desk = useDesk();
  const { can, feedback, review, stage } = desk.session.context;
  const tabs = useTabs();
  const tab = desk.tab.value;
  const later = useScript(loadTabs, tab !== "segments" || desk.session.phase.value !== "opening");
  const Body = tab === "segments" ? SegmentsTab : later?.TABS[tab];
  const step = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const to = tabs[(tabs.findIndex(({ key }) => key === tab) + by + tabs.length) % tabs.length];
    if (to) desk.showTab(to.key);
  };
  return (
    <aside class="side" aria-label={t("Scan panel")}>
      <PanelEdge />
      <div class="tabs" role="tablist" aria-label={t("Scan panel")} onKeyDown={step}>
        {tabs.map((facts) => (
          <TabButton key={facts.key} facts={facts} />
        ))}
      </div>
      <div
        class="sidebody"
        role="tabpanel"
        id="side-body"
        ref={desk.attention.ref("side-body")}
        aria-labelledby={`tab-${tab}`}
        tabIndex={0}
      >
        {Body ? <Body key={tab} /> : <p class="muted small">{t("Loading…")}</p>}
      </div>
      {BESIDE_SCOUT.has(tab) && <Scout />}
      {can.submit && <Checklist />}
      {feedback && <Feedback />}
      {stage === "review" && review?.reasons?.length ? <Reasons /> : null}
    </aside>
  );
}

function TabButton({ facts: { key, words, icon, count, hot, more } }: { readonly facts: TabFacts }) {
  const desk = useDesk();
  const isOn = desk.tab.value === key;
  return (
    <button
      type="button"
      role="tab"
      id={`tab-${key}`}
      ref={desk.attention.ref(`tab-${key}`)}
      aria-selected={isOn}
      aria-controls="side-body"
      tabIndex={isOn ? 0 : -1}
      data-testid={`tab-${key}`}
      aria-label={icon && [words, count, more].filter(Boolean).join(" ")}
      title={icon && words}
      onClick={() => {
        desk.turnTo(key);
      }}
    >
      {icon ? <Icon name={icon} size="sm" /> : words}
      {count && (
        <>
          {" "}
          <span class={`count${hot ? " count-hot" : ""}`}>{count}</span>
          {more && <span class="vh"> {more}</span>}
        </>
      )}
    </button>
  );
}

function Checklist() {
  const desk = useDesk();
  return (
    <div class="sec check" data-testid="checklist">
      <h3>{t("Before you submit")}</h3>
      <ul>
        {desk.checks.value.map((check) => (
          <li key={check.code} data-code={check.code} data-ok={check.ok}>
            <Icon name={check.ok ? "circle-check" : "triangle-alert"} size="sm" />
            <span class="grow">{check.text}</span>
            {!check.ok && Object.keys(check.jump).length > 0 && (
              <button type="button" class="link" onClick={() => desk.jump(check.jump)}>
                {check.jump.ijk || check.jump.comments || check.jump.refused ? t("Show") : t("Go to it")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Reasons() {
  const { session } = useDesk();
  return (
    <div class="sec check">
      <h3>{t("Why it is here")}</h3>
      <ul>
        {session.context.review?.reasons?.map((reason) => (
          <li key={reason}>
            <Icon name="info" size="sm" />
            <span class="clip" title={reason}>
              {reason}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
