/** The page: bar, rail, settings of the tool, panes, side panel, status. */

import { useEffect } from "preact/hooks";
import { listenToKeys } from "./commands/keyboard";
import { DeskContext, type Desk } from "./desk";
import { Dialogs } from "./panels/dialogs";
import { Notice } from "./panels/notice";
import { Panes } from "./panels/panes";
import { Rail } from "./panels/rail";
import { SavingNotes } from "./panels/saving";
import { Side } from "./panels/side";
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
      <Topbar />
      <Rail />
      <ToolPanel />
      <Panes />
      <div class="rightside">
        <SavingNotes />
        <Side />
        <Notice />
      </div>
      <Status />
      <Dialogs />
      <Spoken />
    </DeskContext.Provider>
  );
}
