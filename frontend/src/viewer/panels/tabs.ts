/** The tabs behind the first one: a script of their own, which comes once the scan can be looked at. */

import type { VNode } from "preact";
import type { Tab } from "../desk/desk";
import { CommentsTab } from "./comments";
import { HistoryTab } from "./history";
import { LesionsTab } from "./lesions";
import { QuestionsTab } from "./questions";
import { ReviewTab } from "./review";

export const TABS: Readonly<Record<Exclude<Tab, "segments">, () => VNode>> = {
  lesions: LesionsTab,
  review: ReviewTab,
  questions: QuestionsTab,
  comments: CommentsTab,
  history: HistoryTab,
};
