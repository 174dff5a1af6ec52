/** The right panel: tabs, and what must be right before one submits. */

import { useRef } from "preact/hooks";
import { useDesk, type Tab } from "../desk";
import { CommentsTab } from "./comments";
import { HistoryTab } from "./history";
import { t } from "../language";
import { Icon, type IconName } from "./icons";
import { ReviewTab } from "./review";
import { Scout } from "./scout";
import { LesionsTab } from "./lesions";
import { SegmentsTab } from "./segments";
import { shownQuestions } from "../questions";
import { QuestionsTab } from "./questions";

/** Tabs that tell of places in the scan. */
const BESIDE_SCOUT: ReadonlySet<Tab> = new Set<Tab>(["segments", "lesions", "review"]);

export function Side() {
  const desk = useDesk();
  const { session, work, review } = desk;
  const list = useRef<HTMLDivElement>(null);
  const questions = shownQuestions(session.context.schema.questions, work.answers.value);
  const required = questions.filter((q) => q.required);
  const answered = required.filter((q) => q.key in work.answers.value).length;
  const open = work.comments.value.filter((c) => c.state !== "resolved").length + work.drafts.value.length;
  const unread = work.talk.unread.value;
  const tabs: { key: Tab; words: string; icon?: IconName; count?: string; hot?: boolean; more?: string }[] = [
    { key: "segments", words: t("Segments") },
    { key: "lesions", words: t("Lesions") },
    ...(session.context.overlays.length || session.context.can.comment
      ? [
          {
            key: "review" as const,
            words: t("Differences"),
            icon: "git-compare" as const,
            count: review.left.value ? String(review.left.value) : undefined,
          },
        ]
      : []),
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
  const tab = desk.tab.value;
  const step = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const to = tabs[(tabs.findIndex(({ key }) => key === tab) + by + tabs.length) % tabs.length].key;
    desk.tab.value = to;
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-testid=tab-${to}]`)?.focus());
  };
  return (
    <aside class="side" aria-label={t("Scan panel")}>
      <div class="tabs" role="tablist" aria-label={t("Scan panel")} ref={list} onKeyDown={step}>
        {tabs.map(({ key, words, icon, count, hot, more }) => (
          <button
            type="button"
            key={key}
            role="tab"
            id={`tab-${key}`}
            aria-selected={tab === key}
            aria-controls="side-body"
            tabIndex={tab === key ? 0 : -1}
            data-testid={`tab-${key}`}
            aria-label={icon && [words, count, more].filter(Boolean).join(" ")}
            title={icon && words}
            onClick={() => {
              desk.tab.value = key;
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
        ))}
      </div>
      <div class="sidebody" role="tabpanel" id="side-body" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === "segments" && <SegmentsTab />}
        {tab === "lesions" && <LesionsTab />}
        {tab === "review" && <ReviewTab />}
        {tab === "questions" && <QuestionsTab />}
        {tab === "comments" && <CommentsTab />}
        {tab === "history" && <HistoryTab />}
      </div>
      {BESIDE_SCOUT.has(tab) && <Scout />}
      {session.context.can.submit && <Checklist />}
      {session.context.review &&
        session.context.stage === "review" &&
        (session.context.review.reasons?.length ?? 0) > 0 && <Reasons />}
    </aside>
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
