/** How the planes of a grid stand on the screen. */

import { perAxis, type AxisIndex, type Plane } from "../../editor/types";
import { msg } from "../../ground/language";
import type { GridGeometry } from "./grid";

/** Axes of `Slice` per plane: along a row, down the rows, across the slices. */
export const SLICE_AXES: Readonly<Record<Plane, readonly [AxisIndex, AxisIndex, AxisIndex]>> = {
  axial: [0, 1, 2],
  coronal: [0, 2, 1],
  sagittal: [1, 2, 0],
};

/** Letters of the two ends of L, P and S: towards larger and towards smaller millimetres. */
const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["S", "I"],
] as const;
const NAMES = [msg("Sagittal"), msg("Coronal"), msg("Axial")] as const;

/** How a plane stands on the screen: as a radiologist has it, feet below, the patient's right on the left. */
export interface PlaneLayout {
  readonly plane: Plane;
  /** Name by the patient's axes; an oddly stored series may show its coronal images in the grid's axial plane. */
  readonly name: string;
  readonly right: AxisIndex;
  readonly down: AxisIndex;
  readonly across: AxisIndex;
  /** true: the index falls towards the right (or towards the bottom). */
  readonly flipRight: boolean;
  readonly flipDown: boolean;
  readonly letters: { readonly left: string; readonly right: string; readonly top: string; readonly bottom: string };
}

/** An axis of the patient, 0 L, 1 P, 2 S; `sign` is -1 where it is run along towards smaller millimetres. */
interface PatientAxis {
  readonly axis: AxisIndex;
  readonly sign: 1 | -1;
}

/** Patient axis that each grid axis runs along most, and its sign; every patient axis once. */
function patientAxes(lps: GridGeometry["lpsFromIjk"]): Record<AxisIndex, PatientAxis> {
  const found = perAxis((axis): PatientAxis => ({ axis, sign: 1 }));
  const free = new Set<AxisIndex>([0, 1, 2]);
  const order = perAxis((n) => {
    const column = perAxis((row) => lps[row][n]);
    const length = Math.hypot(...column) || 1;
    return { n, column: perAxis((row) => column[row] / length) };
  });
  order.sort((p, q) => Math.max(...q.column.map(Math.abs)) - Math.max(...p.column.map(Math.abs)));
  for (const { n, column } of order) {
    const axis = [...free].reduce((best, a) => (Math.abs(column[a]) > Math.abs(column[best]) ? a : best));
    free.delete(axis);
    found[n] = { axis, sign: column[axis] < 0 ? -1 : 1 };
  }
  return found;
}

export function layoutOf(plane: Plane, geometry: GridGeometry): PlaneLayout {
  const patient = patientAxes(geometry.lpsFromIjk);
  const [first, second, across] = SLICE_AXES[plane];
  // Right of the screen: patient's left, or the back where left runs into the screen. Down: feet, or the back.
  const normal = patient[across].axis;
  const wantRight = normal === 0 ? 1 : 0;
  const wantDown = normal === 2 ? 1 : 2;
  const right = patient[first].axis === wantRight ? first : second;
  const down = right === first ? second : first;
  const flipRight = patient[right].sign < 0;
  const flipDown = wantDown === 2 ? patient[down].sign > 0 : patient[down].sign < 0;
  const [plus, minus] = LETTERS[wantRight];
  const [downPlus, downMinus] = LETTERS[wantDown];
  return {
    plane,
    name: NAMES[normal],
    right,
    down,
    across,
    flipRight,
    flipDown,
    letters: {
      right: plus,
      left: minus,
      bottom: wantDown === 2 ? downMinus : downPlus,
      top: wantDown === 2 ? downPlus : downMinus,
    },
  };
}
