/** What comes beside voxels and mask: anatomy, masks to compare with, a model's probability. What fails is said. */

import type { EditorClient } from "../../editor/client";
import { MEDIA_TYPE } from "../../editor/message";
import { askLater, isLineGone } from "../../ground/again";
import { fetchBytes } from "../../ground/api";
import type { Context } from "../../ground/context";
import type { Layer } from "../../ground/contract";
import { t } from "../../ground/language";
import type { Anatomy } from "./anatomy";
import type { Clicks } from "./clicking";
import type { MaskMirror } from "./mirror";
import type { Notices } from "./notices";
import { CORRECTION, type Overlays } from "./overlays";

/** What it needs of the open scan. */
export interface BesideScan {
  readonly context: Pick<Context, "overlays" | "can">;
  readonly layer: Layer;
  readonly editor: EditorClient;
  readonly mirror: MaskMirror | null;
  readonly anatomy: Anatomy;
  readonly overlays: Overlays;
  readonly clicks: Clicks;
  readonly notices: Notices;
  /** Aborted when the scan is left. */
  readonly leaving: AbortSignal;
}

const fetchMask = (url: string): Promise<Uint8Array> => fetchBytes(url, { headers: { Accept: MEDIA_TYPE } });

/** `isMissing` tells whether it still has not come. */
function sayFailed({ notices }: BesideScan, title: string, isMissing?: () => boolean): void {
  notices.say(t("{title} could not be loaded.", { title }), "warn", isMissing);
}

export async function loadAnatomy(scan: BesideScan): Promise<void> {
  const failed = await scan.anatomy.load(scan.editor, fetchMask, scan.leaving);
  if (failed.length) sayFailed(scan, failed.join(", "));
}

/** Those of the working layer. The pre-annotation, else the first, is what the mask is counted against. */
export async function loadOverlays(scan: BesideScan): Promise<void> {
  const sources = scan.context.overlays.filter(({ layer }) => layer === scan.layer.name);
  const { mirror } = scan;
  await scan.overlays.load(
    sources,
    scan.editor,
    fetchMask,
    (key) => {
      if (key === "prediction" || (key !== CORRECTION && !mirror?.compareWith)) mirror?.compare(key);
      mirror?.touchAll();
    },
    (title, key) => sayFailed(scan, title, () => !scan.overlays.loaded.value.has(key)),
    scan.leaving,
  );
}

export async function loadProbability({ context, clicks, notices, leaving }: BesideScan): Promise<void> {
  if (!context.can.edit) return;
  try {
    await clicks.load();
  } catch (error) {
    const words = t("The model's probability could not be loaded: click to segment works from the image alone.");
    notices.say(words, "warn", () => clicks.model.value === null);
    if (isLineGone(error)) void askLater(() => clicks.load(), leaving).catch(() => undefined);
  }
}
