// Whether a finger finds what can be used: 44 by 44 pixels around the middle of each belong to it. Edges may lie between pixels.
import type { Page } from '@playwright/test';

/** What can be used below the selector and is too small to be hit. Links in running text are as high as their line. */
export function tooSmall(page: Page, within: string): Promise<string[]> {
  return page.evaluate(async (within) => {
    const USED = 'a, button, summary, select, textarea, label, input:not([type="hidden"])';
    const REACH = 21;
    const frame = () => new Promise(requestAnimationFrame);
    const inText = (element: Element) => element.matches('.prose a, p a') && getComputedStyle(element).display === 'inline';
    const shown = (element: Element) => {
      const { width, height } = element.getBoundingClientRect();
      return element.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1;
    };
    // What is in a label is hit with it.
    const used = [...document.querySelectorAll(`:is(${within}) :is(${USED})`)].filter(
      (element) => shown(element) && !inText(element) && !element.parentElement!.closest('label, a, button, summary'),
    );
    const wrong: string[] = [];
    for (const element of used) {
      element.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' });
      // What follows the scrolling has followed.
      await frame();
      await frame();
      if (!shown(element)) continue;
      const { left, top, width, height } = element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const sides: [string, number, number][] = [['left', x - REACH, y], ['right', x + REACH, y], ['top', x, y - REACH], ['bottom', x, y + REACH]];
      const label = element.closest('label');
      const lost = sides.filter(([, x, y]) => {
        const hit = document.elementFromPoint(x, y);
        return !hit || !(element.contains(hit) || (label && hit.closest('label') === label));
      });
      if (lost.length > 0) {
        const name = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40);
        const where = lost.map(([side, x, y]) => `${side} belongs to ${document.elementFromPoint(x, y)?.className || 'nothing'}`).join(', ');
        wrong.push(`${element.tagName.toLowerCase()}.${element.className} “${name}”: ${Math.round(width)} × ${Math.round(height)}, ${where}`);
      }
    }
    return wrong;
  }, within);
}
