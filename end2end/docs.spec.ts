// The docs inside the program: found from the menu, read with and without scripts, in order for screen readers.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './support/test';

test('the menu leads to the docs, and their pages to each other', async ({ desk, page }) => {
  await desk.open('/');
  await page.locator('summary[aria-label="Look and language"]').click();
  await page.getByRole('link', { name: 'Documentation' }).click();
  await expect(page).toHaveURL(/\/docs$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Documentation');

  await page.getByRole('main').getByRole('link', { name: 'The staff guide' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The staff guide');
  const picture = page.getByRole('img').first();
  await picture.scrollIntoViewIfNeeded();
  await expect.poll(async () => picture.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBeGreaterThan(1000);
  await page.getByRole('main').getByRole('link', { name: 'The tutorial' }).click();
  await expect(page).toHaveURL(/\/docs\/tutorial$/);

  await page.getByRole('navigation').getByRole('link', { name: 'Security' }).click();
  await expect(page.getByRole('navigation').locator('[aria-current]')).toHaveText('Security');
  await page.getByRole('link', { name: 'Cowork', exact: true }).click();
  await expect(page).toHaveURL(/\/$/);
});

test('a page of the docs has nothing that axe finds, and fits a phone', async ({ page, javaScriptEnabled }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ['/docs', '/docs/staff', '/docs/configuration']) {
    await page.goto(name);
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    if (javaScriptEnabled === false) continue;
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${name} needs no sideways scrolling`).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
    expect(violations.map(({ id, nodes }) => `${name} ${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
  }
});
