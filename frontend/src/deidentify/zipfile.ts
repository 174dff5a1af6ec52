/** Members of a zip, each unpacked when it is its turn; nothing but what is asked for is read. */

import { inflateSync } from "fflate";
import { Refusal } from "./refusal";

/** A file by the name that it has among the chosen ones. */
export interface Member {
  readonly name: string;
  readonly read: () => Promise<Uint8Array>;
  /** The file itself, where it is one. */
  readonly file: File | null;
  readonly size: number;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MOST_COMMENT = 0xffff;
const TOO_LARGE_FOR_ZIP = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
const LITTLE = true;

const broken = (): Refusal => new Refusal("archive_broken", "The zip is broken; pack it again.");

const view = async (file: Blob, start: number, end: number): Promise<DataView> =>
  new DataView(await file.slice(start, end).arrayBuffer());

/** The files in a zip (PKWARE APPNOTE 4.3). Throws `Refusal` (`archive_broken`, `archive_too_large`). */
export async function membersOf(file: File): Promise<Member[]> {
  const start = Math.max(0, file.size - END_BYTES - MOST_COMMENT);
  const tail = await view(file, start, file.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, LITTLE) !== END) at--;
  if (at < 0) throw broken();
  const [count, size, offset] = [
    tail.getUint16(at + 10, LITTLE),
    tail.getUint32(at + 12, LITTLE),
    tail.getUint32(at + 16, LITTLE),
  ];
  if (offset === TOO_LARGE_FOR_ZIP || count === 0xffff) {
    throw new Refusal(
      "archive_too_large",
      "The zip is larger than this page can read; unpack it and choose the folder.",
    );
  }
  const directory = await view(file, offset, offset + size);
  const found: Member[] = [];
  let here = 0;
  for (let n = 0; n < count; n++) {
    if (here + ENTRY_BYTES > directory.byteLength || directory.getUint32(here, LITTLE) !== ENTRY) throw broken();
    const lengths = [28, 30, 32].map((where) => directory.getUint16(here + where, LITTLE));
    const member = memberOf(file, directory, here, lengths[0] ?? 0);
    if (!member.name.endsWith("/")) found.push(member);
    here += ENTRY_BYTES + lengths.reduce((sum, length) => sum + length, 0);
  }
  return found;
}

function memberOf(file: File, directory: DataView, at: number, nameLength: number): Member {
  const bytes = new Uint8Array(directory.buffer, at + ENTRY_BYTES, nameLength);
  const name = new TextDecoder().decode(bytes).replaceAll("\\", "/");
  const flags = directory.getUint16(at + 8, LITTLE);
  const method = directory.getUint16(at + 10, LITTLE);
  const packedSize = directory.getUint32(at + 20, LITTLE);
  const size = directory.getUint32(at + 24, LITTLE);
  const offset = directory.getUint32(at + 42, LITTLE);
  if (flags & 1) {
    throw new Refusal("archive_broken", "The zip is encrypted; unpack it and send the folder.");
  }
  const read = async (): Promise<Uint8Array> => {
    const local = await view(file, offset, offset + LOCAL_BYTES);
    if (local.byteLength < LOCAL_BYTES || local.getUint32(0, LITTLE) !== LOCAL) throw broken();
    const start = offset + LOCAL_BYTES + local.getUint16(26, LITTLE) + local.getUint16(28, LITTLE);
    const packed = new Uint8Array(await file.slice(start, start + packedSize).arrayBuffer());
    if (method === STORED) return packed;
    if (method !== DEFLATED) throw new Refusal("archive_broken", "A file in the zip is broken; pack it again.");
    try {
      return inflateSync(packed, { out: new Uint8Array(size) });
    } catch {
      throw new Refusal("archive_broken", "A file in the zip is broken; pack it again.");
    }
  };
  return { name, read, file: null, size };
}
