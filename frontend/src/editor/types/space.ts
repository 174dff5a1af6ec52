/**
 * Where things are: voxel indices are `ijk` = (x, y, z); shapes, spacings and boxes are `zyx`; lengths are millimetres.
 */

export type Zyx = readonly [number, number, number];
export type Ijk = readonly [number, number, number];

/** An axis of a triple: 0 is z of a zyx, and i of an ijk. */
export type AxisIndex = 0 | 1 | 2;

export const AXES: readonly [0, 1, 2] = [0, 1, 2];

/** A triple from its value on each axis. */
export const perAxis = <T>(of: (axis: AxisIndex) => T): [T, T, T] => [of(0), of(1), of(2)];

type Row = readonly [number, number, number, number];

/** The affine from voxel indices (ijk) to millimetres (LPS), row-major. */
export type Matrix = readonly [Row, Row, Row, ...Row[]];

/** axial: one k, width i, height j. coronal: one j, width i, height k. sagittal: one i, width j, height k. */
export type Plane = "axial" | "coronal" | "sagittal";

export interface VolumeMeta {
  readonly shapeZyx: Zyx;
  /** Taken from every value so that it fits int16 (X-ray); added again to what people read. Default 0. */
  readonly offset?: number;
  readonly spacingMmZyx: Zyx;
  /** Median HU of the aerated lung (`limit.background_hu` of the volume index); null where there is no lung. */
  readonly backgroundHu: number | null;
}

/** A part of the volume, half open: z0 <= z < z1, … */
export interface Box {
  readonly z0: number;
  readonly z1: number;
  readonly y0: number;
  readonly y1: number;
  readonly x0: number;
  readonly x1: number;
}

export interface Slice<T extends Uint8Array | Int16Array> {
  readonly plane: Plane;
  readonly index: number;
  readonly width: number;
  readonly height: number;
  /** Row-major, first row = lowest index of the vertical axis. */
  readonly data: T;
}

/** New labels of a rectangle of a watched slice. */
export interface SlicePatch {
  readonly plane: Plane;
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
