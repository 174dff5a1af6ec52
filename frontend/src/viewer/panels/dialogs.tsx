/** Dialogs that wait for the person. */

import { useDesk } from "../desk/desk";
import { useScript } from "../controls/script";
import { Palette } from "./palette";

const loadAsked = () => import("./asked");

export function Dialogs() {
  const desk = useDesk();
  const asking = desk.work.asking.value;
  const script = useScript(loadAsked, asking !== null || desk.session.phase.value !== "opening");
  const close = () => {
    desk.work.dismiss();
  };
  return (
    <>
      {asking && script && <script.Asked key={asking.kind} asking={asking} onClose={close} />}
      {!asking && <OpenSheet />}
    </>
  );
}

const loadSheets = () => import("./sheets");

/** Keys and settings: their script comes once the scan can be looked at, or before when somebody opens one. */
function OpenSheet() {
  const desk = useDesk();
  const sheet = desk.sheet.value;
  const script = useScript(loadSheets, sheet !== null || desk.session.phase.value !== "opening");
  const close = () => desk.closeSheet();
  if (sheet === "palette") return <Palette onClose={close} />;
  if (!script || !sheet) return null;
  const Sheet = sheet === "keys" ? script.KeySheet : script.SettingsSheet;
  return <Sheet onClose={close} />;
}
