/** How the editor of a scan is opened. */

import type { EditorOptions } from "../../editor/types";
import { csrfHeaders } from "../../ground/api";
import { type Context, maskOf } from "../../ground/context";
import type { Layer, VolumeIndex } from "../../ground/contract";
import { personKey } from "../../ground/personal";
import { isShared, offsetOf } from "../../load/volume";

/** `room` is where the voxels lie; `backgroundHu` that of the lung limit. */
export function optionsOf(
  context: Context,
  layer: Layer,
  index: VolumeIndex,
  backgroundHu: number | null,
  room: Int16Array,
): EditorOptions {
  return {
    volume: {
      shapeZyx: index.shape_zyx,
      spacingMmZyx: index.spacing_mm_zyx,
      offset: offsetOf(index),
      backgroundHu,
    },
    user: context.user,
    key: personKey(),
    scan: context.scan.code,
    lpsFromIjk: index.lps_from_ijk,
    assignment: context.id,
    layer: layer.name,
    maskUrl: maskOf(context, layer).url,
    headers: csrfHeaders(),
    editable: context.can.edit,
    voxels: isShared(room) ? room : undefined,
  };
}
