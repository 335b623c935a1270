// Pictures to look at, where `scripts/pictures` wants them: they assert nothing, so ./test takes none.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { LOOKS, SETTINGS, stage, VIEWS, type Look } from './support/scenes';
import { test } from './support/test';

const PICTURES = process.env.COWORK_PICTURES;

test.skip(!PICTURES, 'scripts/pictures takes them');
// Nothing moves while it is taken.
test.use({ settings: SETTINGS, contextOptions: { reducedMotion: 'reduce' } });

/** WebP, which Playwright has no word for: a third of a PNG, and texts stay sharp. */
async function take(page: Page, name: string): Promise<void> {
  const wire = await page.context().newCDPSession(page);
  const { data } = await wire.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
  writeFileSync(join(PICTURES!, name), Buffer.from(data, 'base64'));
}

for (const look of Object.keys(LOOKS) as Look[]) {
  test.describe(look, () => {
    test.use(LOOKS[look]);
    for (const { name, show } of VIEWS.filter((view) => view.look === look)) {
      test(name, async ({ desk, page, model, server, watch, workspace }) => {
        await stage(look, show, { desk, page, model, server, watch, workspace });
        await take(page, `${name}-${look}.webp`);
      });
    }
  });
}
