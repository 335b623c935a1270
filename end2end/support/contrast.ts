// How well text can be read: the contrast of what the browser computed, by the formula of WCAG 2.
import type { Page } from '@playwright/test';

export interface Contrast {
  selector: string;
  text: string;
  ratio: number;
}

/** The contrast of each visible text below the selectors against what is painted behind it. */
export function contrasts(page: Page, selectors: string[]): Promise<Contrast[]> {
  return page.evaluate((selectors) => {
    type Colour = [number, number, number, number];
    const parse = (text: string): Colour => {
      const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g)!.map(Number);
      return [red, green, blue, alpha];
    };
    const over = (top: Colour, below: Colour): Colour => {
      const mix = (part: number) => top[part] * top[3] + below[part] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const background = (element: Element | null): Colour => {
      if (!element) return [255, 255, 255, 1];
      const own = parse(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, background(element.parentElement));
    };
    const luminance = ([red, green, blue]: Colour) => {
      const linear = (part: number) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const ratio = (element: Element) => {
      const behind = background(element);
      const [light, dark] = [luminance(over(parse(getComputedStyle(element).color), behind)), luminance(behind)].sort((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05);
    };
    return selectors.flatMap((selector) =>
      [...document.querySelectorAll(selector)]
        .filter((element) => element.checkVisibility())
        .map((element) => ({ selector, text: element.textContent!.trim().slice(0, 40), ratio: ratio(element) })),
    );
  }, selectors);
}
