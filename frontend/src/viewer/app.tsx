/** The page: bar, rail, settings of the tool, panes, side panel, status. */

import { useEffect } from "preact/hooks";
import { listenToKeys } from "./commands/keyboard";
import { useScript } from "./controls/script";
import { DeskContext, type Desk, useDesk } from "./desk/desk";
import { Dialogs } from "./panels/dialogs";
import { NewsNote } from "./panels/news";
import { Notice } from "./panels/notice";
import { Panes } from "./panels/panes";
import { Rail } from "./panels/rail";
import { Side } from "./panels/side";
import { Skips } from "./panels/skips";
import { Spoken } from "./panels/spoken";
import { Status } from "./panels/status";
import { ToolPanel } from "./panels/tool";
import { Topbar } from "./panels/topbar";

export function App({ desk }: { readonly desk: Desk }) {
  useEffect(() => {
    const stop = listenToKeys(desk);
    const warn = (event: BeforeUnloadEvent) => {
      if (!desk.work.left && desk.work.unsent > 0) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => {
      stop();
      removeEventListener("beforeunload", warn);
    };
  }, [desk]);
  return (
    <DeskContext.Provider value={desk}>
      <Skips />
      <Topbar />
      <Rail />
      <ToolPanel />
      <Panes />
      <div class="rightside">
        <Hindrances />
        <Side />
        <NewsNote />
        <Notice />
      </div>
      <Status />
      <Dialogs />
      <Spoken />
    </DeskContext.Provider>
  );
}

const loadNotes = () => import("./panels/savingnotes");
const FINE: ReadonlySet<string> = new Set(["saved", "saving", "unsaved"]);

/** What hinders saving. Its script comes once the scan can be looked at, or before when something does. */
function Hindrances() {
  const { session } = useDesk();
  const isWanted = session.phase.value !== "opening" || !FINE.has(session.save.value.kind);
  const script = useScript(loadNotes, isWanted);
  return script && <script.SavingNotes />;
}
