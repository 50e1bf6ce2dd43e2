import type { Page } from 'playwright-core'

/** How far a channel of a pixel may be off, of 255: the rasterizer is not exact. */
const TOLERANCE = 24

/**
 * The part of the pixels in which two screenshots differ; 1 if their sizes do. The browser compares them, on a page without
 * a policy. Both must be of one machine: another one has other fonts.
 */
export function differenceOf(page: Page, one: Buffer, other: Buffer): Promise<number> {
  return page.evaluate(`(async () => {
    const read = async (base64) => {
      const answer = await fetch('data:image/png;base64,' + base64)
      const image = await createImageBitmap(await answer.blob())
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
      context.drawImage(image, 0, 0)
      return context.getImageData(0, 0, image.width, image.height)
    }
    const one = await read('${one.toString('base64')}')
    const other = await read('${other.toString('base64')}')
    if (one.width !== other.width || one.height !== other.height) return 1
    let count = 0
    for (let at = 0; at < one.data.length; at += 4)
      if ([0, 1, 2].some((channel) => Math.abs(one.data[at + channel] - other.data[at + channel]) > ${TOLERANCE})) count++
    return count / (one.width * one.height)
  })()`)
}

/** Texts that are cut off or reach out of the window, as the browser lays the page out. Scrolling boxes may be wider inside. */
export function findCutTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(`[...document.querySelectorAll('main *, header *')]
    .filter((element) => {
      if (element.closest('.hidden, svg, .tiles, .marks, select, .scroll')) return false
      const { right, left, width } = element.getBoundingClientRect()
      return width > 0 && (right > innerWidth + 1 || left < -1 || element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
    })
    .map((element) => element.tagName + '.' + element.className + ': ' + element.textContent.slice(0, 60))`)
}
