/**
 * The revisions of the mask on the server: looking at an earlier one beside the live mask, taking it up again, who set
 * a voxel.
 */

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Ijk } from "../../editor/types";
import { MEDIA_TYPE } from "../../editor/message";
import { call, fetchBytes, Problem } from "../../ground/api";
import type { ListedRevision } from "../../ground/contract";
import { spoken, t } from "../../ground/language";
import * as shape from "../../ground/shapes";
import type { ScanSession } from "../scan/session";
import { toolWords } from "../../ground/words";

/** Key of the overlay that shows the chosen revision. */
export const REVISION = "revision";
/** A finger on the slider may rest this long before its mask is fetched. */
const REST_MS = 120;
/** Masks of revisions that are kept, so that going to and fro costs nothing. */
const MOST_KEPT = 24;

export class Revisions {
  readonly #list = signal<readonly ListedRevision[]>([]);
  /** Oldest first. */
  readonly list: ReadonlySignal<readonly ListedRevision[]> = this.#list;
  readonly #trouble = signal("");
  readonly trouble: ReadonlySignal<string> = this.#trouble;
  readonly #at = signal<number | null>(null);
  /** Index in the list of the revision that is looked at; null for none. */
  readonly at: ReadonlySignal<number | null> = this.#at;
  readonly chosen = computed(() => (this.at.value === null ? null : (this.list.value[this.at.value] ?? null)));
  readonly #shown = signal(false);
  /** The chosen revision is on screen. */
  readonly shown: ReadonlySignal<boolean> = this.#shown;
  readonly #masks = new Map<string, Promise<Uint8Array>>();
  #before: string | null = null;
  #timer = 0;

  constructor(private readonly session: ScanSession) {}

  get #url(): string {
    return `/api/v1/assignments/${this.session.context.id}`;
  }

  /** Fetch the list anew; the chosen revision stays chosen. */
  async load(): Promise<void> {
    try {
      const { revisions } = await call(
        "GET",
        `${this.#url}/history?layer=${this.session.layer.name}`,
        undefined,
        shape.History,
      );
      const { chosen } = this;
      const id = chosen.value?.id;
      this.#list.value = revisions.toReversed();
      if (id)
        this.#at.value = Math.max(
          0,
          this.list.value.findIndex((one) => one.id === id),
        );
      this.#trouble.value = "";
    } catch (error) {
      this.#trouble.value =
        error instanceof Problem ? error.message : t("The server cannot be reached; earlier revisions lie there.");
    }
  }

  /** Look at a revision as a difference to the live mask, which stays as it is. */
  choose(at: number): void {
    if (this.at.value === null) this.#before = this.session.overlays.difference.value;
    this.#at.value = Math.min(Math.max(at, 0), this.list.value.length - 1);
    this.#shown.value = false;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#show(), REST_MS);
  }

  async #show(): Promise<void> {
    const { session } = this;
    const revision = this.chosen.value;
    if (!revision) return;
    try {
      const message = await this.#mask(revision.id);
      if (this.chosen.value?.id !== revision.id) return;
      await session.editor.putOverlay(REVISION, message.slice());
      if (this.chosen.value?.id !== revision.id) return;
      session.overlays.noteLoaded(REVISION);
      session.overlays.compareWith(REVISION);
      this.#shown.value = true;
    } catch {
      this.#masks.delete(revision.id);
      session.notices.say(t("This revision could not be loaded."), "warn");
    }
  }

  #mask(id: string): Promise<Uint8Array> {
    const known =
      this.#masks.get(id) ?? fetchBytes(`/api/v1/revisions/${id}/mask`, { headers: { Accept: MEDIA_TYPE } });
    this.#masks.delete(id);
    this.#masks.set(id, known);
    for (const oldest of this.#masks.keys()) if (this.#masks.size > MOST_KEPT) this.#masks.delete(oldest);
    return known;
  }

  /** Back to the live mask alone. */
  leave(): void {
    window.clearTimeout(this.#timer);
    if (this.at.value === null) return;
    this.#at.value = null;
    this.#shown.value = false;
    this.session.overlays.compareWith(this.#before);
    this.session.overlays.noteGone(REVISION);
  }

  /** Make the live mask what the chosen revision was: one stroke, so one undo takes it back. */
  async restore(): Promise<void> {
    const revision = this.chosen.value;
    if (!revision || !this.shown.value) return;
    await this.session.editor.apply({ op: "restore", overlay: REVISION, revision: revision.id });
    this.leave();
  }

  /** Say who set a voxel, and how. */
  async askWho(ijk: Ijk): Promise<void> {
    const { session } = this;
    const { save } = session;
    const say = (text: string) => {
      session.notices.say(`${t("Voxel {ijk}", { ijk: ijk.join(", ") })}: ${text}`);
    };
    try {
      if (save.value.kind === "unsaved" || save.value.kind === "saving") await session.editor.flush();
      const { value, revision, strokes } = await call(
        "GET",
        `${this.#url}/voxel?layer=${session.layer.name}&ijk=${ijk.join(",")}`,
        undefined,
        shape.Setter,
      );
      if (!revision) {
        say(t("nobody has ever marked it."));
        return;
      }
      const what = value === 0 ? t("unmarked") : value === 255 ? t("erased") : session.segmentName(value);
      const who = revision.author ?? t("model {model}", { model: revision.model });
      const how = [...new Set(strokes.flatMap(({ tool }) => (tool === null ? [] : [toolWords(tool)])))].join(t(" or "));
      say(`${what}, ${t("by {who}, {when}", { who, when: whenWords(revision.created_at) })}${how ? `, ${how}` : ""}.`);
    } catch (error) {
      say(error instanceof Problem ? error.message : t("the server cannot be reached."));
    }
  }
}

/** Date and time as a reader says them; only the time for today. */
export function whenWords(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString(spoken(), { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === now.toDateString()
    ? time
    : `${at.toLocaleDateString(spoken(), { day: "numeric", month: "short" })} ${time}`;
}
