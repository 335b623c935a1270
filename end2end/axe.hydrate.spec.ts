// Every view and state, as axe sees it.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { LOOKS, SETTINGS, stage, VIEWS, type Look } from './support/scenes';
import { expect, test } from './support/test';

/** What axe finds against WCAG 2.2 AA. The lines between zones stand between landmarks, as they must. */
async function violations(page: Page, look: Look): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  // A phone shows one zone at a time, and so does a page at twice its size: the main one may be another, and headings
  // begin where that zone's do.
  const otherwise = look === 'phone' || look === 'large' ? ['region', 'landmark-one-main', 'heading-order'] : ['region'];
  const { violations } = await new AxeBuilder({ page }).withTags(tags).disableRules(otherwise).analyze();
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')}`));
}

/** Where a finger's layout, another theme or little room makes another page of it. */
const OTHERWISE = /^(home|finished|approval|question-multi|uploads|files|logs|undo-conflict)$/;
const LOOKED_AT = VIEWS.filter(({ name, look }) => look === 'light' || (look !== 'plain' && look !== 'german' && OTHERWISE.test(name)));

for (const look of Object.keys(LOOKS) as Look[]) {
  test.describe(`axe finds nothing in the look ${look}`, () => {
    // Colours on their way are none.
    test.use({ ...LOOKS[look], settings: SETTINGS, contextOptions: { reducedMotion: 'reduce' } });
    for (const { name, show } of LOOKED_AT.filter((view) => view.look === look)) {
      test(name, async ({ desk, page, model, server, watch, workspace }) => {
        await stage(look, show, { desk, page, model, server, watch, workspace });
        expect(await violations(page, look)).toEqual([]);
      });
    }
  });
}
