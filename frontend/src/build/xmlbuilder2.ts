/** Stands in for xmlbuilder2, which only vtk.js's XML writers use; the viewer writes no XML. */
export function create(): never {
  throw new Error("XML writing is not part of the viewer build");
}
