/** How much is marked, as people read it: a volume in mL, or of an image of one slice (an X-ray) an area in cm². */

type Triple = readonly [number, number, number];

export type Unit = "mL" | "cm²";

/** An image of one slice has no depth that means anything. */
export const isFlat = ([depth]: Triple): boolean => depth === 1;

/** What so many voxels of a grid amount to, in its unit. */
export function amountOf(voxels: number, shapeZyx: Triple, [z, y, x]: Triple): number {
  return isFlat(shapeZyx) ? (voxels * y * x) / 100 : (voxels * z * y * x) / 1000;
}

export function unitOf(shapeZyx: Triple): Unit {
  return isFlat(shapeZyx) ? "cm²" : "mL";
}
