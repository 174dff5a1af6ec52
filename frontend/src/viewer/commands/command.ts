/** One action of the viewer. */

import { t } from "../../ground/language";

export type Group = "Tools" | "Drawing" | "Proposed lesions" | "Looking" | "Overlays" | "Scan" | "Review";

export interface Command {
  readonly id: string;
  /** English; `{name}` stands for a value. `titleOf` gives it in the reader's language. */
  readonly title: string;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly group: Group;
  readonly keys: readonly string[];
  /** false: this person has no use for it here, it is not even listed. */
  readonly offered?: boolean;
  /** false: not possible just now. */
  readonly when?: () => boolean;
  /** What its key says while it is not possible, in the reader's language; without it the key does nothing. */
  readonly idle?: () => string;
  readonly run: () => void;
}

/** The title in the reader's language. */
export function titleOf({ title, values }: Pick<Command, "title" | "values">): string {
  return t(title, values);
}
