// Uploads on the page: every way in, what is told meanwhile, and what is told afterwards.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './support/test';

const MB = 1024 * 1024;
const file = (name: string, body: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(body) });
const files = (page: Page): Locator => page.locator('.drop-zone input[type="file"]').first();
const folders = (page: Page): Locator => page.locator('.drop-zone input[type="file"]').nth(1);
const row = (page: Page, name: string): Locator => page.locator('.upload').filter({ hasText: name });

/** Holds every piece back until it is opened. */
async function gate(page: Page): Promise<() => void> {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  await page.route('**/uploads/tus/**', async (route) => {
    if (route.request().method() === 'PATCH') await opened;
    // One that was cancelled meanwhile is gone.
    await route.continue().catch(() => undefined);
  });
  return open;
}

test('of many files a few go at once and the others wait; each can be cancelled and tried again', async ({ desk, page, workspace }) => {
  const id = await desk.openSession();
  const open = await gate(page);
  const names = [1, 2, 3, 4, 5, 6, 7].map((number) => `file-${number}.txt`);
  await files(page).setInputFiles(names.map((name) => file(name, name)));
  await expect(page.locator('.upload')).toHaveCount(names.length);
  await expect(page.locator('.upload').filter({ hasText: 'waiting' })).toHaveCount(4);
  // One that waits, and one that is on its way.
  await row(page, 'file-7').getByRole('button', { name: 'Cancel' }).click();
  await row(page, 'file-1').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('.upload').filter({ hasText: 'cancelled' })).toHaveCount(2);
  await expect.poll(async () => (await desk.events(id)).filter((type) => type === 'upload_failed').length).toBe(1);
  open();
  await expect(page.locator('.upload').filter({ hasText: 'added' })).toHaveCount(5);
  expect(names.filter((name) => workspace.exists(name))).toEqual(names.slice(1, 6));
  for (const name of ['file-1', 'file-7']) await row(page, name).getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.upload').filter({ hasText: 'added' })).toHaveCount(7);
  expect(names.every((name) => workspace.exists(name))).toBe(true);
  await row(page, 'file-1').getByRole('button', { name: 'Clear' }).click();
  await expect(page.locator('.upload')).toHaveCount(6);
});

test('a file on its way shows how far it is, how fast, and how long the rest takes', async ({ desk, page }) => {
  await desk.openSession();
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  const line = { offline: false, latency: 0, downloadThroughput: -1 };
  await network.send('Network.emulateNetworkConditions', { ...line, uploadThroughput: 2 * MB });
  await files(page).setInputFiles({ name: 'film.bin', mimeType: '', buffer: Buffer.alloc(7 * MB, 'film') });
  const state = row(page, 'film.bin').locator('.upload-state');
  await expect(state).toHaveText(/^[\d.]+ [kM]?B of 7\.3 MB · [\d.]+ [kM]B\/s · \d+ s$/);
  const progress = row(page, 'film.bin').getByRole('progressbar');
  expect(await progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(0);
  await network.send('Network.emulateNetworkConditions', { ...line, uploadThroughput: -1 });
  await expect(state).toHaveText('added');
  await expect(progress).toHaveCount(0);
});

test('a name that is taken: the old file stays, is replaced, or the new one stands beside it', { tag: '@phone' }, async ({ desk, page, workspace, watch }) => {
  watch.expect(/answered 422/);
  watch.allow(/422 \(/);
  await desk.openSession();
  await desk.show('Files');
  const old = workspace.bytes('notes.txt').toString();
  const clash = row(page, 'notes.txt');
  await files(page).setInputFiles(file('notes.txt', 'new'));
  await clash.getByRole('button', { name: 'Skip' }).click();
  await expect(clash.locator('.upload-state')).toHaveText('skipped');
  expect(workspace.bytes('notes.txt').toString()).toBe(old);
  await clash.getByRole('button', { name: 'Clear' }).click();
  await files(page).setInputFiles(file('notes.txt', 'new'));
  await clash.getByRole('button', { name: 'Keep both' }).click();
  await expect(clash.locator('.upload-state')).toHaveText('added as notes (2).txt');
  expect([workspace.bytes('notes.txt').toString(), workspace.bytes('notes (2).txt').toString()]).toEqual([old, 'new']);
  await clash.getByRole('button', { name: 'Clear' }).click();
  await files(page).setInputFiles(file('notes.txt', 'newer'));
  await clash.getByRole('button', { name: 'Replace' }).click();
  await expect(clash.locator('.upload-state')).toHaveText('added');
  expect(workspace.bytes('notes.txt').toString()).toBe('newer');
});

test('a question about a name stays in sight, however long the list of files is', async ({ desk, page, workspace, watch }) => {
  watch.expect(/answered 422/);
  watch.allow(/422 \(/);
  for (let count = 0; count < 60; count += 1) writeFileSync(join(workspace.folder, `list-${count}.txt`), '');
  await desk.openSession();
  await page.locator('.file-row').last().scrollIntoViewIfNeeded();
  await files(page).setInputFiles(file('notes.txt', 'new'));
  const clash = row(page, 'notes.txt');
  await expect(clash.getByRole('button', { name: 'Keep both' })).toBeInViewport({ ratio: 1 });
  await expect(clash.getByRole('status'), 'and is told to who does not look').toContainText('notes.txt');

  await page.setViewportSize({ width: 390, height: 844 });
  const tab = page.locator('.zone-tab').nth(1);
  const mark = () => tab.evaluate((element) => getComputedStyle(element, '::after').content);
  await expect.poll(mark, { message: 'a phone that shows the chat says where' }).not.toBe('none');
  await tab.click();
  await expect(clash.getByRole('button', { name: 'Keep both' })).toBeInViewport({ ratio: 1 });
  await clash.getByRole('button', { name: 'Skip' }).click();
  await expect.poll(mark).toBe('none');
});

/** A folder of this computer with files at two depths. */
function tree(home: string): string {
  const folder = join(home, 'photos');
  mkdirSync(join(folder, 'march/raw'), { recursive: true });
  writeFileSync(join(folder, 'cover.txt'), 'cover');
  writeFileSync(join(folder, 'march/raw/one.txt'), 'one');
  return folder;
}

test('a folder keeps its tree, chosen or dropped on the window; a file may be pasted', async ({ desk, page, workspace }) => {
  await desk.openSession();
  const folder = tree(workspace.home);
  const added = page.locator('.upload').filter({ hasText: 'added' });
  await folders(page).setInputFiles(folder);
  await expect(added).toHaveCount(2);
  expect(workspace.bytes('photos/cover.txt').toString()).toBe('cover');
  expect(workspace.bytes('photos/march/raw/one.txt').toString()).toBe('one');
  await expect(page.locator('.files').getByRole('button', { name: 'photos' })).toBeVisible();
  await desk.composer.evaluate((field) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File(['pasted'], 'screenshot.png', { type: 'image/png' }));
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  await expect(row(page, 'screenshot.png')).toContainText('added');
  expect(workspace.bytes('screenshot.png').toString()).toBe('pasted');
  renameSync(folder, `${folder}-too`);
  // As the system drags it, not as a script would.
  const mouse = await page.context().newCDPSession(page);
  const place = await page.locator('main').boundingBox();
  const at = { x: place!.x + place!.width / 2, y: place!.y + place!.height / 2 };
  const data = { items: [], files: [`${folder}-too`], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver'] as const) await mouse.send('Input.dispatchDragEvent', { type, ...at, data });
  await expect(page.locator('.drop-overlay')).toHaveText('Drop to add to q1-close');
  await mouse.send('Input.dispatchDragEvent', { type: 'drop', ...at, data });
  await expect(added).toHaveCount(5);
  expect(workspace.bytes('photos-too/cover.txt').toString()).toBe('cover');
  expect(workspace.bytes('photos-too/march/raw/one.txt').toString()).toBe('one');
  await expect(page.locator('.drop-overlay')).toHaveCount(0);
});

test('what was uploaded lately is told after a reload too: name, result and when', async ({ desk, page, workspace }) => {
  const id = await desk.openSession();
  await files(page).setInputFiles(file('first.txt', 'first'));
  await expect(row(page, 'first.txt')).toContainText('added');
  // By a script; one of the two is refused.
  const form = new FormData();
  form.append('files', new File(['second'], 'second.txt'));
  form.append('files', new File(['x'], 'con.txt'));
  const sent = await page.request.post(`/cowork/sessions/${id}/uploads`, { multipart: form, headers: { origin: new URL(page.url()).origin } });
  expect(sent.status()).toBe(200);
  const recent = page.getByRole('group').filter({ hasText: 'Recent uploads' }).getByRole('listitem');
  const told = [/^con\.txt.*Windows.*\D\d\d:\d\d:\d\d$/s, /^second\.txt\s*added\s*\d\d:\d\d:\d\d$/, /^first\.txt\s*added\s*\d\d:\d\d:\d\d$/];
  await expect(recent).toHaveText(told);
  await desk.reload();
  await expect(recent).toHaveText(told);
  await expect(page.locator('.upload')).toHaveCount(0);
  expect(workspace.exists('con.txt')).toBe(false);
});

test('an upload goes on where it stood: after the server was killed, and after a reload', async ({ desk, page, server, workspace, watch }) => {
  watch.allow(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|WebSocket connection/);
  watch.allow(/answered 422: .*\/stream$|status of 422/);
  await desk.openSession();
  page.on('dialog', (dialog) => dialog.accept());
  const path = join(workspace.home, 'film.bin');
  writeFileSync(path, Buffer.alloc(26 * MB, 'what the museum keeps, '));
  const offsets: number[] = [];
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  await page.route('**/uploads/tus/**', async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue();
    const offset = Number(route.request().headers()['upload-offset']) / MB;
    offsets.push(offset);
    if (offset === 8 && offsets.filter((known) => known === 8).length === 1) {
      await server.end('SIGKILL');
      await route.continue();
      await server.start();
    } else if (offset === 16) {
      await opened;
      await route.continue().catch(() => undefined);
    } else {
      await route.continue();
    }
  });
  await files(page).setInputFiles(path);
  await expect.poll(() => offsets.at(-1)).toBe(16);
  expect(offsets[0]).toBe(0);
  expect(workspace.exists('film.bin')).toBe(false);
  await desk.reload();
  open();
  await files(page).setInputFiles(path);
  await expect(row(page, 'film.bin')).toContainText('added');
  expect(offsets.filter((offset) => offset === 0), 'nothing was sent twice that had arrived').toHaveLength(1);
  expect(workspace.bytes('film.bin').equals(readFileSync(path))).toBe(true);
});

/** The smallest picture, and the smallest document, that a browser shows. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('each kind of file is looked into in its own way, and a folder comes as a zip', async ({ desk, page, workspace }) => {
  writeFileSync(join(workspace.folder, 'plan.md'), '# The plan\n\n<script>alert(1)</script>\n\n- one\n');
  writeFileSync(join(workspace.folder, 'dot.png'), Buffer.from(PNG, 'base64'));
  await desk.openSession();
  const preview = page.getByRole('dialog', { name: /^Preview of/ });
  const look = async (name: string) => {
    await page.locator('.files').getByRole('link', { name: new RegExp(`^${name.replace('.', '\\.')}`) }).click();
    await expect(preview.getByRole('heading', { name, exact: true })).toBeVisible();
  };
  const close = () => page.keyboard.press('Escape');
  await look('notes.txt');
  await expect(preview.locator('pre')).toContainText('Call ACME');
  await close();
  await look('plan.md');
  await expect(preview.getByRole('heading', { name: 'The plan' })).toBeVisible();
  await expect(preview.locator('script')).toHaveCount(0);
  await close();
  await look('dot.png');
  await expect.poll(() => preview.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
  await close();
  const download = page.waitForEvent('download');
  await page.locator('.file-item').filter({ hasText: 'invoices' }).getByRole('link', { name: 'Download the folder as zip' }).click();
  const zip = await download;
  expect(zip.suggestedFilename()).toBe('invoices.zip');
  const bytes = readFileSync(await zip.path()).toString('latin1');
  expect(bytes.startsWith('PK')).toBe(true);
  for (const name of ['acme-0231.txt', 'globex-0232.txt']) expect(bytes).toContain(name);
});
