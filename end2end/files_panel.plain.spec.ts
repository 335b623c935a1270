// Without scripts a file is brought by a form, and fetched by a link.
import { expect, test } from './support/test';

test('a form uploads, and a row downloads', { tag: '@phone' }, async ({ desk, page, workspace }) => {
  await desk.openSession();
  await page.locator('.drop-zone input[type="file"]').first().setInputFiles({ name: 'plain.txt', mimeType: 'text/plain', buffer: Buffer.from('plain') });
  await page.locator('.drop-zone').getByRole('button', { name: 'Upload' }).click();
  await expect(page.locator('.file-name', { hasText: 'plain.txt' })).toBeVisible();
  expect(workspace.exists('plain.txt')).toBe(true);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: /plain\.txt/ }).click();
  expect((await download).suggestedFilename()).toBe('plain.txt');
});

test('what was uploaded is told on the page: name, result, and when; who is alone is not named', async ({ desk, page }) => {
  await desk.openSession();
  const choose = page.locator('.drop-zone input[type="file"]').first();
  await choose.setInputFiles({ name: 'plain.txt', mimeType: 'text/plain', buffer: Buffer.from('plain') });
  await page.locator('.drop-zone').getByRole('button', { name: 'Upload' }).click();
  await expect(page.locator('.recent-upload')).toHaveText(/^plain\.txt\s*added\s*\d/);
});
