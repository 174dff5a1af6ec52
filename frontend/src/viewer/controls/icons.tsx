/** The icons in use (Lucide, ISC licence), inlined from its package. */

import mousePointer2 from "lucide-static/icons/mouse-pointer-2.svg?raw";
import contrast from "lucide-static/icons/contrast.svg?raw";
import mousePointerClick from "lucide-static/icons/mouse-pointer-click.svg?raw";
import flame from "lucide-static/icons/flame.svg?raw";
import move from "lucide-static/icons/move.svg?raw";
import sprout from "lucide-static/icons/sprout.svg?raw";
import globe from "lucide-static/icons/globe.svg?raw";
import circleDot from "lucide-static/icons/circle-dot.svg?raw";
import eraser from "lucide-static/icons/eraser.svg?raw";
import ruler from "lucide-static/icons/ruler.svg?raw";
import messageSquare from "lucide-static/icons/message-square.svg?raw";
import settings2 from "lucide-static/icons/settings-2.svg?raw";
import undo2 from "lucide-static/icons/undo-2.svg?raw";
import redo2 from "lucide-static/icons/redo-2.svg?raw";
import maximize2 from "lucide-static/icons/maximize-2.svg?raw";
import minimize2 from "lucide-static/icons/minimize-2.svg?raw";
import eye from "lucide-static/icons/eye.svg?raw";
import eyeOff from "lucide-static/icons/eye-off.svg?raw";
import cpu from "lucide-static/icons/cpu.svg?raw";
import gitCompare from "lucide-static/icons/git-compare.svg?raw";
import crosshair from "lucide-static/icons/crosshair.svg?raw";
import rotateCcw from "lucide-static/icons/rotate-ccw.svg?raw";
import grid2x2 from "lucide-static/icons/grid-2x2.svg?raw";
import square from "lucide-static/icons/square.svg?raw";
import history from "lucide-static/icons/history.svg?raw";
import keyRound from "lucide-static/icons/key-round.svg?raw";
import lock from "lucide-static/icons/lock.svg?raw";
import lockOpen from "lucide-static/icons/lock-open.svg?raw";
import circleCheck from "lucide-static/icons/circle-check.svg?raw";
import triangleAlert from "lucide-static/icons/triangle-alert.svg?raw";
import chevronLeft from "lucide-static/icons/chevron-left.svg?raw";
import chevronRight from "lucide-static/icons/chevron-right.svg?raw";
import cornerUpLeft from "lucide-static/icons/corner-up-left.svg?raw";
import cloudCheck from "lucide-static/icons/cloud-check.svg?raw";
import cloudUpload from "lucide-static/icons/cloud-upload.svg?raw";
import cloudOff from "lucide-static/icons/cloud-off.svg?raw";
import logIn from "lucide-static/icons/log-in.svg?raw";
import download from "lucide-static/icons/download.svg?raw";
import skipForward from "lucide-static/icons/skip-forward.svg?raw";
import ban from "lucide-static/icons/ban.svg?raw";
import check from "lucide-static/icons/check.svg?raw";
import x from "lucide-static/icons/x.svg?raw";
import trash2 from "lucide-static/icons/trash-2.svg?raw";
import copy from "lucide-static/icons/copy.svg?raw";
import keyboard from "lucide-static/icons/keyboard.svg?raw";
import info from "lucide-static/icons/info.svg?raw";
import circleX from "lucide-static/icons/circle-x.svg?raw";
import userRound from "lucide-static/icons/user-round.svg?raw";
import rotate3d from "lucide-static/icons/rotate-3d.svg?raw";
import box from "lucide-static/icons/box.svg?raw";
import clock from "lucide-static/icons/clock.svg?raw";
import circlePlay from "lucide-static/icons/circle-play.svg?raw";
import squareDashed from "lucide-static/icons/square-dashed.svg?raw";
import layers from "lucide-static/icons/layers.svg?raw";
import play from "lucide-static/icons/play.svg?raw";
import pause from "lucide-static/icons/pause.svg?raw";
import panelsLayout from "lucide-static/icons/layout-panel-left.svg?raw";
import columns2 from "lucide-static/icons/columns-2.svg?raw";
import axis3d from "lucide-static/icons/axis-3d.svg?raw";
import link2 from "lucide-static/icons/link-2.svg?raw";
import unlink from "lucide-static/icons/unlink.svg?raw";
import plus from "lucide-static/icons/plus.svg?raw";
import send from "lucide-static/icons/send.svg?raw";
import pipette from "lucide-static/icons/pipette.svg?raw";
import lasso from "lucide-static/icons/lasso.svg?raw";
import scissors from "lucide-static/icons/scissors.svg?raw";
import layers2 from "lucide-static/icons/layers-2.svg?raw";
import paintBucket from "lucide-static/icons/paint-bucket.svg?raw";
import circleMinus from "lucide-static/icons/circle-minus.svg?raw";
import waves from "lucide-static/icons/waves.svg?raw";
import expand from "lucide-static/icons/expand.svg?raw";
import shrink from "lucide-static/icons/shrink.svg?raw";
import replace from "lucide-static/icons/replace.svg?raw";
import squaresUnite from "lucide-static/icons/squares-unite.svg?raw";
import squaresIntersect from "lucide-static/icons/squares-intersect.svg?raw";
import squaresSubtract from "lucide-static/icons/squares-subtract.svg?raw";
import copyPlus from "lucide-static/icons/copy-plus.svg?raw";

const SOURCES = {
  "mouse-pointer-2": mousePointer2,
  contrast: contrast,
  "mouse-pointer-click": mousePointerClick,
  flame: flame,
  move: move,
  sprout: sprout,
  globe: globe,
  "circle-dot": circleDot,
  eraser: eraser,
  ruler: ruler,
  "message-square": messageSquare,
  "settings-2": settings2,
  "undo-2": undo2,
  "redo-2": redo2,
  "maximize-2": maximize2,
  "minimize-2": minimize2,
  eye: eye,
  "eye-off": eyeOff,
  cpu: cpu,
  "git-compare": gitCompare,
  crosshair: crosshair,
  "rotate-ccw": rotateCcw,
  "grid-2x2": grid2x2,
  square: square,
  history: history,
  "key-round": keyRound,
  lock: lock,
  "lock-open": lockOpen,
  "circle-check": circleCheck,
  "triangle-alert": triangleAlert,
  "chevron-left": chevronLeft,
  "chevron-right": chevronRight,
  "corner-up-left": cornerUpLeft,
  "cloud-check": cloudCheck,
  "cloud-upload": cloudUpload,
  "cloud-off": cloudOff,
  "log-in": logIn,
  download: download,
  "skip-forward": skipForward,
  ban: ban,
  check: check,
  x: x,
  "trash-2": trash2,
  copy: copy,
  keyboard: keyboard,
  info: info,
  "circle-x": circleX,
  "user-round": userRound,
  "rotate-3d": rotate3d,
  box: box,
  clock: clock,
  "circle-play": circlePlay,
  "square-dashed": squareDashed,
  layers: layers,
  play: play,
  pause: pause,
  "layout-panel-left": panelsLayout,
  "columns-2": columns2,
  "axis-3d": axis3d,
  "link-2": link2,
  unlink: unlink,
  plus: plus,
  send: send,
  pipette: pipette,
  lasso: lasso,
  scissors: scissors,
  "layers-2": layers2,
  "paint-bucket": paintBucket,
  "circle-minus": circleMinus,
  waves: waves,
  expand: expand,
  shrink: shrink,
  replace: replace,
  "squares-unite": squaresUnite,
  "squares-intersect": squaresIntersect,
  "squares-subtract": squaresSubtract,
  "copy-plus": copyPlus,
} as const;

export type IconName = keyof typeof SOURCES;

const inner = new Map<IconName, string>();

/** An icon is decoration: the control around it carries the name. */
export function Icon({ name, size = "" }: { readonly name: IconName; readonly size?: "" | "sm" | "lg" }) {
  let markup = inner.get(name);
  if (markup === undefined) {
    markup = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(SOURCES[name])?.[1] ?? "";
    inner.set(name, markup);
  }
  return (
    <svg
      class={`icon${size && ` icon-${size}`}`}
      viewBox="0 0 24 24"
      aria-hidden="true"
      dangerouslySetInnerHTML={{ __html: markup }}
    />
  );
}
