/** When to begin what takes every processor. */

/** A tab in the background draws nothing; it goes on after this. */
const LONGEST_MS = 600;
/** From a frame of the page to the picture on screen, on two processors without a graphics card. */
const SHOWING_MS = 250;

/** Resolves once the first images stand on screen: decoding right away would keep a small machine from showing them. */
export async function firstImages(times: { readonly usable: number | null }): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (times.usable === null && performance.now() < end) await nextFrame();
  await nextFrame();
  await new Promise((resolve) => setTimeout(resolve, SHOWING_MS));
}

/** The turn after the next frame was handed to the screen. */
function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, 100);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(resolve);
    });
  });
}
