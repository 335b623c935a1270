// Taking back what a turn did to files: one of them, the whole turn, and never what a person did since.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Desk } from './support/desk';
import { call, text, type ScriptedModel } from './support/model';
import { expect, test } from './support/test';

/** A turn that wrote one file, changed another and moved a third; the page shows its changes. */
async function changed(desk: Desk, model: ScriptedModel): Promise<void> {
  model.script(
    'Tidy up',
    [call('write_file', { path: 'summary.md', content: '# Summary\n' })],
    [call('edit_file', { path: 'notes.txt', old_str: 'Book the room', new_str: 'Book the large room' })],
    [call('move_file', { source: 'ledger-march.csv', destination: 'invoices/ledger-march.csv' })],
    [text('Tidied up.')],
  );
  const id = await desk.createSession({ title: 'Tidy' });
  await desk.setMode(id, 'accept_edits');
  await desk.open(`/sessions/${id}`);
  await desk.live();
  await desk.ask('Tidy up');
  await desk.open(`/sessions/${id}?tab=changes`);
  await desk.show('Logs');
  await expect(desk.page.locator('.file-change')).toHaveCount(3);
}

test('the whole turn is taken back by one word', async ({ desk, page, model, workspace }) => {
  await changed(desk, model);
  const changes = page.locator('.file-change');
  await page.getByRole('button', { name: 'Undo the whole turn' }).click();
  await expect(changes.filter({ hasText: 'taken back' })).toHaveCount(3);
  if (desk.scripts) await expect(page.getByText('3 files are as they were before.')).toBeVisible();
  expect(workspace.exists('summary.md')).toBe(false);
  expect(workspace.exists('ledger-march.csv')).toBe(true);
  expect(readFileSync(join(workspace.folder, 'notes.txt'), 'utf8')).toContain('Book the room');
  await expect(page.getByRole('button', { name: 'Undo the whole turn' }), 'there is nothing left to take back').toBeHidden();
});

test('one file is taken back, and the others stay changed', { tag: '@phone' }, async ({ desk, page, model, workspace }) => {
  await changed(desk, model);
  const notes = page.locator('.file-change', { hasText: 'notes.txt' });
  await notes.locator('summary').click();
  await expect(notes.locator('.diff .added')).toHaveText('+Book the large room for the review.');
  await notes.getByRole('button', { name: 'Undo' }).click();
  await expect(notes).toContainText('taken back');
  await expect(page.locator('.file-change', { hasText: 'taken back' })).toHaveCount(1);
  expect(readFileSync(join(workspace.folder, 'notes.txt'), 'utf8')).not.toContain('large');
  expect(workspace.exists('summary.md')).toBe(true);
});

test('what a person did since is left alone, and that is told', async ({ desk, page, model, workspace }) => {
  await changed(desk, model);
  writeFileSync(join(workspace.folder, 'summary.md'), '# My own summary\n');
  await page.getByRole('button', { name: 'Undo the whole turn' }).click();
  const told = page.locator('.notice', { hasText: 'summary.md: It was changed' });
  await expect(told).toBeVisible();
  await expect(told).toContainText('it was left as it is');
  await expect(page.locator('.file-change', { hasText: 'taken back' })).toHaveCount(2);
  expect(readFileSync(join(workspace.folder, 'summary.md'), 'utf8')).toBe('# My own summary\n');
});
