/** Sheets that few open and nobody types into before they are there: a script of their own. */

export { KeySheet } from "./keysheet";
export { SettingsSheet } from "./settings";
