import type { ImageBackend, Hosts } from "./backend";
import type { Session } from "../session";
import type { View } from "../panes/view";

export class CornerstoneBackend {
  static async create(_session: Session, _view: View, _hosts: Hosts): Promise<ImageBackend> { throw new Error("not yet"); }
}
