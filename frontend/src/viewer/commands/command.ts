/** One action of the viewer. */

export type Group = "Tools" | "Drawing" | "Looking" | "Overlays" | "Scan" | "Review";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly keys: readonly string[];
  /** false: this person has no use for it here, it is not even listed. */
  readonly offered?: boolean;
  /** false: not possible just now. */
  readonly when?: () => boolean;
  readonly run: () => void;
}
