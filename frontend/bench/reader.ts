/**
 * A scripted reader who knows the truth of a lesion and draws it with one tool, as people do: look at the largest part
 * that is wrong, hover over its deepest point and over the deepest point of its fainter half, turn the wheel until the
 * preview takes most that is right and least that is wrong, press. The hand is not exact: 1 to 2 voxels beside the
 * point and up to 15 % off the radius, the same for every tool. What is too much goes by the eraser. Where a tool takes
 * nothing of what is missing (a refusal, a place erased before), the sphere is used, as the page advises. What else the
 * page offers under the wheel and one key is looked at too, before every stroke: the tolerance of the growing brush
 * (or, as a share of the same kind, the lower bound of the threshold brush), and its "exclude vessels". So the reader
 * chooses better than people do, and the more so the more a tool has to set: the figures are an upper bound.
 */

import {
  type Writable,
  ballRuns,
  grownRuns,
  writableByErasing,
  writableByGrowing,
  writableByPaint,
} from "../src/editor/brushes";
import { propose } from "../src/editor/clicking";
import { grow } from "../src/editor/growing";
import { Labelmap } from "../src/editor/labelmap";
import { NO_RUNS, RunBuilder, type Runs } from "../src/editor/runs";
import { type ClickPrompt, ERASED, GROW_DEFAULTS, type Threshold, type Zyx } from "../src/editor/types";
import { type Scene, PARTS, SEGMENT, type Part, wrongParts } from "./parts";

export const TOOLS = ["sphere", "threshold", "grow", "click"] as const;

export type ReaderTool = (typeof TOOLS)[number];

const STROKES = 20;

const LEAST_MM = 1.5,
  MOST_MM = 60;

/** Notches of the wheel that are looked at, from the radius that fits inside to the one that encloses. */
const NOTCHES = 8;

/** A circle that encloses has a little room. */
const ROOM = 1.2;

const HAND_VOXELS = [1, 2] as const,
  HAND_RADIUS = 0.15;

const MOST_POINTS = 5;

/** From one end of the page's range to the other, and what "exclude vessels" sets. */
const TOLERANCES = [15, 20, 25, 30, 35, 40, 50, 60],
  VESSELS_HU = 200;

/** How a tool is set. */
interface Setting {
  readonly tolerance: number;
  readonly upperHu: number | null;
}

const PLAIN: Setting = { tolerance: GROW_DEFAULTS.tolerance, upperHu: null };

const BY_TOLERANCE: readonly Setting[] = TOLERANCES.map((tolerance) => ({ tolerance, upperHu: null }));

const SETTINGS: Readonly<Record<ReaderTool | "erase", readonly Setting[]>> = {
  sphere: [PLAIN],
  erase: [PLAIN],
  threshold: BY_TOLERANCE,
  click: [],
  grow: [...BY_TOLERANCE, ...BY_TOLERANCE.map(({ tolerance }) => ({ tolerance, upperHu: VESSELS_HU }))],
};

/** Dice after each of 20 strokes; a reader who is content draws no more, and the figure stays. */
export function readLesion(scene: Scene, tool: ReaderTool, seed: number): number[] {
  const random = randomOf(seed);
  const labels = new Labelmap(scene.shape);
  const dice: number[] = [];
  const drawing = tool === "click" ? "grow" : tool;
  if (tool === "click") points(scene, labels, random, dice);
  while (dice.length < STROKES) {
    const runs = nextStroke(scene, labels, drawing, random);
    if (!runs) break;
    labels.apply(runs, new Set());
    dice.push(diceOf(scene, labels.data));
  }
  const last = dice.at(-1) ?? 0;
  while (dice.length < STROKES) dice.push(last);
  return dice;
}

/** The best stroke at the largest wrong part where one helps; null when none does. */
function nextStroke(scene: Scene, labels: Labelmap, tool: ReaderTool, random: () => number): Runs | null {
  for (const part of wrongParts(scene, labels.data).slice(0, PARTS)) {
    const hands = part.places.map((place) => byHand(place, scene.shape, random));
    const wobble = 1 + HAND_RADIUS * (2 * random() - 1);
    for (const kind of part.missing ? [tool, "sphere" as const] : ["erase" as const]) {
      const { at, setting, radius, gain } = lookAround(scene, labels, kind, hands, part);
      if (gain > 0) return effect(scene, labels, kind, setting, at, radius * wobble);
    }
  }
  return null;
}

/** The place, setting and radius that take most. */
function lookAround(
  scene: Scene,
  labels: Labelmap,
  kind: ReaderTool | "erase",
  hands: readonly Zyx[],
  part: Part,
): { at: Zyx; setting: Setting; radius: number; gain: number } {
  const best = { at: hands[0]!, setting: PLAIN, radius: 0, gain: 0 };
  const share = (ROOM * part.around) / part.inside;
  for (const at of hands) {
    for (const setting of SETTINGS[kind]) {
      for (let n = 0; n < NOTCHES; n++) {
        const radius = Math.min(MOST_MM, Math.max(LEAST_MM, part.inside * share ** (n / (NOTCHES - 1))));
        const gain = gainOf(scene, effect(scene, labels, kind, setting, at, radius));
        if (gain > best.gain) Object.assign(best, { at, setting, radius, gain });
      }
    }
  }
  return best;
}

/** What a press of the tool would change. */
function effect(
  scene: Scene,
  labels: Labelmap,
  kind: ReaderTool | "erase",
  setting: Setting,
  at: Zyx,
  radiusMm: number,
): Runs {
  const input = { ...scene, labels: labels.data };
  const ball = (writable: Writable, value: number, threshold: Threshold | null) =>
    ballRuns(input, at, radiusMm, null, writable, value, threshold);
  if (kind === "erase") return ball(writableByErasing(null, []), ERASED, null);
  if (kind === "grow") {
    const grown = grow(input, SEGMENT, at, radiusMm, setting);
    return grown.refusal ? NO_RUNS : grownRuns(input, grown, writableByGrowing(SEGMENT, false, []), SEGMENT);
  }
  const lo = Math.floor(scene.backgroundHu + (setting.tolerance / 100) * (scene.lesionHu - scene.backgroundHu));
  return ball(writableByPaint(SEGMENT, false, []), SEGMENT, kind === "threshold" ? { lo, hi: 3071 } : null);
}

/** Voxels put right less voxels put wrong. */
function gainOf({ truth }: Scene, runs: Runs): number {
  let gain = 0;
  for (let n = 0; n < runs.count; n++) {
    const change = Number(runs.after[n] === SEGMENT) - Number(runs.before[n] === SEGMENT);
    if (change)
      for (let at = runs.start[n]!; at < runs.start[n]! + runs.length[n]!; at++) gain += truth[at] ? change : -change;
  }
  return gain;
}

/** Click-to-segment: points until one makes the proposal no better (taken back), then Enter. Each point is a stroke. */
function points(scene: Scene, labels: Labelmap, random: () => number, dice: number[]): void {
  const input = { ...scene, labels: labels.data, probability: null };
  const prompts: ClickPrompt[] = [];
  let best: Uint32Array = new Uint32Array(0),
    reached = 0;
  while (dice.length < MOST_POINTS) {
    const proposed = new Uint8Array(scene.truth.length);
    for (const at of best) proposed[at] = SEGMENT;
    const [part] = wrongParts(scene, proposed);
    if (!part) break;
    const [k, j, i] = byHand(part.places[0]!, scene.shape, random);
    prompts.push({ ijk: [i, j, k], belongs: part.missing });
    const { voxels } = propose(input, SEGMENT, prompts, null, GROW_DEFAULTS.tolerance);
    proposed.fill(0);
    for (const at of voxels) proposed[at] = SEGMENT;
    const now = diceOf(scene, proposed);
    if (now <= reached) {
      dice.push(reached);
      break;
    }
    reached = now;
    best = voxels;
    dice.push(now);
  }
  const out = new RunBuilder();
  for (const at of best) out.push(at, 1, 0, SEGMENT);
  labels.apply(out.build(), new Set());
}

function byHand([z, y, x]: Zyx, shape: Zyx, random: () => number): Zyx {
  const angle = 2 * Math.PI * random(),
    length = HAND_VOXELS[0] + (HAND_VOXELS[1] - HAND_VOXELS[0]) * random();
  const within = (v: number, axis: 1 | 2) => Math.max(0, Math.min(shape[axis] - 1, Math.round(v)));
  return [z, within(y + length * Math.sin(angle), 1), within(x + length * Math.cos(angle), 2)];
}

function diceOf({ truth }: Scene, mask: Uint8Array): number {
  let both = 0,
    sum = 0;
  for (let at = 0; at < truth.length; at++) {
    const drawn = Number(mask[at] === SEGMENT);
    both += truth[at]! & drawn;
    sum += truth[at]! + drawn;
  }
  return (2 * both) / sum;
}

/** Mulberry32: the same numbers on every machine. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
