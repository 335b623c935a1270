// Files, logs, progress and changes, the menus and the sheets over the page.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { call, gate, text } from '../model';
import { ALSO_DARK, DESK, finished, menuOf, TITLE, titled, USUAL, WRITE, type Scenes, type Stage } from './common';

/** A session whose steps may change files, which opens with its list of changes. */
async function changes(stage: Stage): Promise<void> {
  const { desk, model, page } = stage;
  const edit = call('edit_file', { path: 'notes.txt', old_str: 'Book the room', new_str: 'Book the large room' });
  model.script('Write', [WRITE], [edit], [text('The summary stands in `summary.md`.')]);
  const id = await desk.createSession({ title: TITLE });
  await desk.setMode(id, 'accept_edits');
  await desk.open(`/sessions/${id}?tab=changes`);
  await desk.ask('Write a summary.');
  await desk.show('Logs');
  await expect(page.locator('.file-change')).toHaveCount(2);
  await page.locator('.file-change summary').first().click();
}

const PIECE = 1024 * 1024;
const file = (name: string, size: number) => ({ name, mimeType: '', buffer: Buffer.alloc(size, 'what the museum keeps, ') });
const upload = (page: Page, name: string) => page.locator('.upload').filter({ hasText: name });

/** A look into a file. */
async function preview({ desk, page, workspace }: Stage, name: string, content: string | Buffer): Promise<void> {
  writeFileSync(join(workspace.folder, name), content);
  await desk.openSession({ title: TITLE });
  await desk.show('Files');
  await page.locator('.files').getByRole('link', { name: new RegExp(`^${name.replace('.', '\\.')}`) }).click();
  await expect(page.getByRole('dialog', { name: /^Preview of/ })).toBeVisible();
  await expect(page.locator('.preview-body .muted, .preview-body pre, .preview-body img, .preview-body .prose, .preview-body table, .preview-body p').first()).toBeVisible();
}

/** A picture of two colours, of 320 by 200 pixels, as a BMP: a format that needs no packing. */
function picture(): Buffer {
  const [width, height] = [320, 200];
  const bytes = Buffer.alloc(54 + width * height * 3, 0);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let pixel = 0; pixel < width * height; pixel += 1) bytes.set(pixel % width < 120 ? [91, 107, 14] : [236, 240, 226], 54 + pixel * 3);
  return bytes;
}

export const PANELS: Scenes = {
  uploads: {
    looks: ALSO_DARK,
    show: async ({ desk, page, watch }) => {
      watch.allow(/answered 422|422 \(/);
      await desk.openSession({ title: TITLE });
      await desk.show('Files');
      const choose = page.locator('.drop-zone input[type="file"]').first();
      await choose.setInputFiles([file('receipts.pdf', 9000)]);
      await expect(upload(page, 'receipts.pdf')).toContainText('added');
      await choose.setInputFiles([file('notes.txt', 900)]);
      await expect(upload(page, 'notes.txt').getByRole('button', { name: 'Keep both' })).toBeVisible();
      await choose.setInputFiles([file('con.txt', 900)]);
      await expect(upload(page, 'con.txt')).toHaveAttribute('data-tone', 'failed');
      // One that is on its way.
      await page.route('**/uploads/tus/**', () => {});
      await choose.setInputFiles([file('film.mov', 3 * PIECE)]);
      await expect(upload(page, 'film.mov')).toBeVisible();
    },
  },
  'preview-text': { looks: USUAL, show: (stage) => preview(stage, 'plan.md', '# The plan\n\n- Read the ledger\n- Match every invoice\n\nThen write it down.\n') },
  'preview-table': { looks: USUAL, show: (stage) => preview(stage, 'prices.csv', 'item,unit,price\nPaper,box,24.50\nToner,piece,89.00\nPens,pack,6.20\n') },
  'preview-picture': { looks: USUAL, show: (stage) => preview(stage, 'flag.bmp', picture()) },
  'preview-none': { looks: USUAL, show: (stage) => preview(stage, 'data.bin', Buffer.from([0, 255, 1, 254, 2, 253])) },
  files: {
    looks: ['phone'],
    show: async ({ desk }) => {
      await titled(desk);
      await desk.openSession({ title: 'Travel policy' });
      await desk.show('Files');
    },
  },
  logs: {
    looks: ['phone', 'narrow'],
    show: async (stage) => {
      await finished(stage);
      await stage.desk.show('Logs');
      const drawer = stage.page.locator('.toggle-right');
      if (await drawer.isVisible()) await drawer.click();
    },
  },
  'logs-filtered': {
    looks: USUAL,
    show: async (stage) => {
      await finished(stage);
      await stage.desk.show('Logs');
      await stage.page.getByRole('button', { name: 'Tools', exact: true }).click();
    },
  },
  'logs-none': {
    looks: DESK,
    show: async (stage) => {
      await finished(stage);
      await stage.page.getByRole('searchbox', { name: 'Filter by text' }).fill('harbour');
    },
  },
  'logs-marked': {
    looks: USUAL,
    show: async (stage) => {
      const { desk, page } = stage;
      await finished(stage);
      await desk.lastTurn.locator('.call-line').nth(1).click();
      await desk.lastTurn.locator('.call').nth(1).getByRole('button', { name: 'Show in the logs' }).click();
      await expect(page.locator('.log-row[data-marked]')).toBeInViewport();
    },
  },
  plan: {
    looks: USUAL,
    show: async ({ desk, model, page }) => {
      const tasks = [
        { content: 'Read the ledger', status: 'completed' },
        { content: 'Match every invoice', status: 'in_progress' },
        { content: 'Write the differences down', status: 'pending' },
      ];
      model.script('Plan', [call('task_tracker', { tasks })], [text('I match the invoices now.'), gate('never')]);
      const id = await desk.createSession({ title: TITLE });
      await desk.open(`/sessions/${id}?tab=progress`);
      await desk.say('Plan the closing.');
      await model.reached('never');
      await desk.show('Logs');
      await expect(page.locator('.task-row')).toHaveCount(3);
    },
  },
  changes: { looks: ALSO_DARK, show: changes },
  'undo-done': {
    looks: DESK,
    show: async (stage) => {
      await changes(stage);
      await stage.page.getByRole('button', { name: 'Undo the whole turn' }).click();
      await expect(stage.page.locator('.file-change', { hasText: 'taken back' })).toHaveCount(2);
    },
  },
  'undo-conflict': {
    looks: USUAL,
    show: async (stage) => {
      await changes(stage);
      writeFileSync(join(stage.workspace.folder, 'summary.md'), '# My own\n');
      await stage.page.getByRole('button', { name: 'Undo the whole turn' }).click();
      await expect(stage.page.locator('.notice', { hasText: 'left as it is' })).toBeVisible();
    },
  },
  'session-menu': {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await menuOf(page, 'Session menu').click();
    },
  },
  'look-menu': {
    looks: ALSO_DARK,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await menuOf(page, 'Look and language').click();
    },
  },
  palette: {
    looks: ALSO_DARK,
    show: async ({ desk, page }) => {
      await desk.createSession({ title: 'Travel policy, plain words' });
      await desk.openSession({ title: TITLE });
      await page.keyboard.press('Control+k');
      await page.keyboard.type('le');
      await expect(page.getByRole('option', { name: /ledger/ })).toBeVisible();
    },
  },
  shortcuts: {
    looks: DESK,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await page.locator('.brand').focus();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    },
  },
};
