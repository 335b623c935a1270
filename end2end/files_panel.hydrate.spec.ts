// The workspace's files on the page: the tree, the ways in, and a look into a file.
import { call, text } from './support/model';
import { expect, test } from './support/test';

const file = (name: string, body: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(body) });

test('the tree shows what is there and follows what steps write', async ({ desk, page, model, workspace }) => {
  model.script('Write', [call('write_file', { path: 'summary.md', content: '# New\n' })], [text('Written.')]);
  const id = await desk.createSession();
  await desk.setMode(id, 'accept_edits');
  await desk.open(`/sessions/${id}`);
  const panel = page.getByRole('region', { name: 'Files in q1-close' });
  await expect(panel.locator('.file-name')).toHaveText(['invoices', 'ledger-march.csv', 'notes.txt']);
  await panel.getByRole('button', { name: 'invoices' }).click();
  await expect(panel.getByText('acme-0231.txt')).toBeVisible();
  await desk.ask('Write');
  await expect(panel.getByText('summary.md')).toBeVisible();
  expect(workspace.exists('summary.md')).toBe(true);
});

test('files are chosen, sent, and mentioned; a taken name asks', async ({ desk, page, workspace, watch }) => {
  watch.expect(/answered 422/);
  watch.allow(/422 \(/);
  await desk.openSession();
  const panel = page.getByRole('region', { name: 'Files in q1-close' });
  const choose = panel.locator('input[type="file"]').first();
  await choose.setInputFiles([file('new.txt', 'one'), file('notes.txt', 'other notes')]);
  const sent = panel.locator('.upload');
  await expect(sent.filter({ hasText: 'new.txt' })).toContainText('added');
  const clash = sent.filter({ hasText: 'notes.txt' });
  await expect(clash).toContainText('notes.txt exists already.');
  await clash.getByRole('button', { name: 'Keep both' }).click();
  await expect(clash).toContainText('added');
  expect(workspace.exists('new.txt')).toBe(true);
  await expect(panel.locator('.files').getByText('new.txt')).toBeVisible();
  await sent.filter({ hasText: 'new.txt' }).getByRole('button', { name: 'Mention in chat' }).click();
  await expect(desk.composer).toHaveValue(/new\.txt/);
  await expect(desk.logs('upload_completed')).toHaveCount(2);
});

test('a large file goes in pieces, each with its hash; one that arrives wrongly is sent again', async ({ desk, page, workspace, watch }) => {
  watch.expect(/answered 460/);
  watch.allow(/460 \(/);
  await desk.openSession();
  const body = Buffer.alloc(20 * 1024 * 1024, 'what the museum keeps, ');
  const pieces: { offset: string; checksum: string; status: number }[] = [];
  page.on('response', (response) => {
    const { 'upload-offset': offset = '', 'upload-checksum': checksum = '' } = response.request().headers();
    if (response.request().method() === 'PATCH') pieces.push({ offset, checksum, status: response.status() });
  });
  // The second piece is said to be another one, once.
  let spoiled = false;
  await page.route('**/uploads/tus/**', (route) => {
    const headers = route.request().headers();
    if (route.request().method() !== 'PATCH' || headers['upload-offset'] === '0' || spoiled) return route.continue();
    spoiled = true;
    return route.continue({ headers: { ...headers, 'upload-checksum': `sha256 ${'A'.repeat(43)}=` } });
  });
  await page.locator('.drop-zone input[type="file"]').first().setInputFiles({ name: 'film.bin', mimeType: '', buffer: body });
  await expect(page.locator('.upload')).toContainText('added');
  expect(workspace.bytes('film.bin').equals(body)).toBe(true);
  expect(pieces.map(({ offset, status }) => [Number(offset) / 1024 / 1024, status])).toEqual([[0, 204], [8, 460], [8, 204], [16, 204]]);
  expect(pieces.every(({ checksum }) => /^sha256 [\w+/]{43}=$/.test(checksum))).toBe(true);
});

test('what is too large says why, the limit and what to do', async ({ desk, page, watch }) => {
  watch.expect(/answered 413/);
  watch.allow(/413 \(/);
  await desk.openSession();
  await page.route('**/uploads/tus', (route) =>
    route.fulfill({
      status: 413,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'file_too_large', detail: 'The file has 61 MB; 50 MB is the limit for one file. Nothing was begun.' }),
    }),
  );
  await page.locator('.drop-zone input[type="file"]').first().setInputFiles(file('plan.xlsx', 'x'));
  const row = page.locator('.upload');
  await expect(row).toContainText('plan.xlsx was not added: The file has 61 MB');
  await expect(row).toContainText('(file_too_large)');
  await page.unroute('**/uploads/tus');
  await row.getByRole('button', { name: 'Try again' }).click();
  await expect(row).toContainText('added');
});

test('files dragged over the window name their folder, and land in it', async ({ desk, page, workspace }) => {
  await desk.openSession();
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['dropped'], 'dropped.txt'));
    return transfer;
  });
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: data });
  await expect(page.locator('.drop-overlay')).toHaveText('Drop to add to q1-close');
  const folder = page.getByRole('button', { name: 'invoices', exact: true });
  await folder.dispatchEvent('dragover', { dataTransfer: data });
  await expect(page.locator('.drop-overlay')).toHaveText('Drop to add to /invoices');
  await folder.dispatchEvent('drop', { dataTransfer: data });
  await expect(page.locator('.upload')).toContainText('added');
  expect(workspace.exists('invoices/dropped.txt')).toBe(true);
});

test('a file is looked into without leaving, by the keyboard', async ({ desk, page }) => {
  await desk.openSession();
  await page.getByRole('link', { name: /ledger-march\.csv/ }).focus();
  await page.keyboard.press('Enter');
  const preview = page.getByRole('dialog', { name: 'Preview of ledger-march.csv' });
  await expect(preview.getByRole('cell', { name: 'Globex' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(preview).toBeHidden();
  await expect(page.getByRole('link', { name: /ledger-march\.csv/ })).toBeFocused();
});
