/** The files that a person drops or chooses, with where they lie below what was chosen. */

import type { Chosen } from "../../deidentify/calls";

export const chosenOf = (files: Iterable<File>): Chosen[] =>
  Array.from(files, (file) => ({ name: file.webkitRelativePath || file.name, file }));

/** Everything that was dropped, folders with all that is in them. */
export async function droppedOf(data: DataTransfer): Promise<Chosen[]> {
  // Before anything is awaited: the browser forgets what was dropped.
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<Chosen[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ name: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Chosen[] = [];
  // A folder is told in parts; an empty one ends it.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return found;
    found.push(...(await Promise.all(part.map(filesIn))).flat());
  }
}

export const isNifti = ({ name }: Chosen): boolean => /\.nii(\.gz)?$/i.test(name);
