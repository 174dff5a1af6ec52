/** What the editor and its callers say to each other; HU are integers. Nothing here knows a DOM or a renderer. */

export * from "./facts";
export * from "./operations";
export * from "./session";
export * from "./space";
export * from "./tools";
