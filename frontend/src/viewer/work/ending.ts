/** What handing in and judging need of the work that they end. */

import type { ReadonlySignal } from "@preact/signals";
import type { News } from "../../ground/news";
import type { Kinds, Shelf } from "../../offline/intents";
import type { ScanSession } from "../scan/session";
import type { Asking } from "./asking";
import type { Outgoing } from "./outgoing";
import type { Talk } from "./talk";

export interface Ending {
  readonly session: ScanSession;
  readonly talk: Talk;
  readonly checks: Outgoing;
  readonly busy: ReadonlySignal<string | null>;
  /** It has ended already. */
  readonly left: boolean;
  readonly url: string;
  readonly reviewUrl: string;
  readonly shelf: <K extends keyof Kinds>(kind: K) => Shelf<K>;
  ask(asking: Asking): void;
  dismiss(): void;
  say(words: string, action: () => Promise<void>): Promise<void>;
  saveAnswers(): Promise<void>;
  sendActivity(): Promise<void>;
  leave(next: string | null, otherwise: string, news?: News): void;
}
