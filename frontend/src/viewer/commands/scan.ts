/** The scan as a piece of work, and the sheets. */

import type { Desk, Tab } from "../desk/desk";
import { t } from "../../ground/language";
import { change } from "../../ground/settings";
import { THEMES } from "../../ground/theme";
import type { Command } from "./command";

const TABS: readonly { readonly key: Tab; readonly title: string }[] = [
  { key: "segments", title: "Show the segments" },
  { key: "lesions", title: "Show the lesions" },
  { key: "questions", title: "Show the questions" },
  { key: "comments", title: "Show the comments" },
  { key: "history", title: "Show the history" },
];

export function scanCommands(desk: Desk): Command[] {
  return [handInCommands, askingCommands, sheetCommands].flatMap((commands) => commands(desk));
}

/** The scan as a piece of work. */
function handInCommands(desk: Desk): Command[] {
  const { session, work } = desk;
  const { can } = session.context;

  return [
    {
      id: "submit",
      title: "Submit",
      group: "Scan",
      keys: ["Ctrl+Enter"],
      offered: can.submit,
      run: () => void work.submit(),
    },
    {
      id: "take-back",
      title: "Take back what was just handed in or judged",
      group: "Scan",
      keys: ["Alt+Z"],
      when: () => work.news.value !== null,
      run: () => {
        if (work.news.value) void work.takeBack(work.news.value);
      },
    },
    {
      id: "skip",
      title: "Skip this scan",
      group: "Scan",
      keys: [],
      offered: can.skip,
      run: () => {
        work.ask({ kind: "skip" });
      },
    },
    {
      id: "block",
      title: "Block this scan",
      group: "Scan",
      keys: [],
      offered: can.block,
      run: () => {
        work.ask({ kind: "block" });
      },
    },
  ];
}

/** Questions and comments. */
function askingCommands(desk: Desk): Command[] {
  const { session, work } = desk;
  const { can } = session.context;

  return [
    {
      id: "next-question",
      title: "Next unanswered question",
      group: "Scan",
      keys: ["Shift+Q"],
      offered: (can.submit || can.correct) && session.context.schema.questions.length > 0,
      run: () => desk.nextUnanswered(),
    },
    {
      id: "next-comment",
      title: "Next open comment",
      group: "Scan",
      keys: ["Shift+C"],
      when: () => work.comments.value.length > 0,
      idle: () => t("Nobody has commented on this scan."),
      run: () => desk.comments.step(),
    },
    {
      id: "comment-here",
      title: "Comment at the crosshair",
      group: "Scan",
      keys: ["Alt+C"],
      offered: can.comment,
      run: () => {
        work.ask({ kind: "comment", ijk: session.cross.value });
      },
    },
    ...TABS.map(({ key, title }) => ({
      id: `tab-${key}`,
      title,
      group: "Scan" as const,
      keys: [],
      run: () => desk.showTab(key),
    })),
  ];
}

/** Settings, sheets and what is taken along. */
function sheetCommands(desk: Desk): Command[] {
  const { session, work } = desk;
  return [
    {
      id: "settings",
      title: "Settings",
      group: "Scan",
      keys: [],
      run: () => {
        desk.openSheet("settings");
      },
    },
    ...THEMES.map(([theme, name]) => ({
      id: `theme-${theme}`,
      title: "Theme: {name}",
      values: { name: t(name) },
      group: "Scan" as const,
      keys: [],
      run: () => change({ theme }),
    })),
    {
      id: "offline",
      title: "Take this batch offline",
      group: "Scan",
      keys: ["Shift+B"],
      offered: session.context.stage === "annotation" && session.context.offline_days > 0,
      run: () => {
        work.ask({ kind: "offline" });
      },
    },
    {
      id: "keys",
      title: "All keys",
      group: "Scan",
      keys: ["?"],
      run: () => {
        desk.openSheet("keys");
      },
    },
    {
      id: "palette",
      title: "Find a command",
      group: "Scan",
      keys: ["Ctrl+K", "/"],
      run: () => {
        desk.openSheet("palette");
      },
    },
  ];
}
