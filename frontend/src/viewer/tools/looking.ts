/** Tools that change no voxel. */

import { crossing, measuring, panning, windowing } from "./gestures";
import type { ToolDefinition } from "./tool";

export const select: ToolDefinition = {
  name: "select",
  title: "Select and scroll",
  words: "Press to set the crosshair; the other planes follow.",
  key: "V",
  icon: "mouse-pointer-2",
  group: "look",
  cursor: "default",
  press: ({ stage }, at) => stage.value && crossing(stage.value, at),
};

export const window: ToolDefinition = {
  name: "window",
  title: "Window",
  words: "Drag sideways for width, up and down for level. The right button does this with any tool.",
  key: "W",
  icon: "contrast",
  group: "look",
  cursor: "crosshair",
  press: ({ stage }, at) => stage.value && windowing(stage.value, at),
};

export const pan: ToolDefinition = {
  name: "pan",
  title: "Pan and zoom",
  words: "Drag to move, wheel to zoom. Hold Space to move with any tool.",
  key: "Z",
  icon: "move",
  group: "look",
  cursor: "grab",
  wheel: "zoom",
  press: ({ stage }, at) => stage.value && panning(stage.value, at),
};

export const measure: ToolDefinition = {
  name: "measure",
  title: "Measure",
  words: "Drag from edge to edge. Delete clears all measurements.",
  key: "M",
  icon: "ruler",
  group: "mark",
  cursor: "crosshair",
  press: ({ stage }, at) => stage.value && measuring(stage.value, at),
};

export const comment: ToolDefinition = {
  name: "comment",
  title: "Comment",
  words: "Press where you want to comment.",
  key: "C",
  icon: "message-square",
  group: "mark",
  cursor: "crosshair",
  needs: "comment",
  press: (host, { voxel }) => {
    if (voxel) {
      host.session.goTo(voxel);
      host.askForComment(voxel);
    }
    return null;
  },
};
