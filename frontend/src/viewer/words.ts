/** Figures as words: true minus sign, thin spaces, fixed decimals. */

const THIN = "\u2009", MINUS = "\u2212";

export function thin(value: number): string {
  return Math.round(value).toString().replace("-", MINUS).replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/** Volume in mL without the unit. */
export function ml(value: number): string {
  if (Math.abs(value) >= 1000) return thin(value);
  return value.toFixed(value !== 0 && Math.abs(value) < 0.095 ? 2 : 1).replace("-", MINUS);
}

export function signed(value: number, text = ml(Math.abs(value))): string {
  return `${value < 0 ? MINUS : "+"}${text}`;
}

export function hu(value: number | null): string { return value === null ? "–" : thin(value); }

export function ago(iso: string | null, now = Date.now()): string {
  if (!iso) return "";
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

export function count(n: number, one: string, many = `${one}s`): string { return `${thin(n)} ${n === 1 ? one : many}`; }

/** Name of a stroke's tool for people: `fill-holes` → `fill holes`. */
export function toolWords(tool: string): string { return tool.replaceAll("-", " "); }
