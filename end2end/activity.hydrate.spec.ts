// What a turn shows of itself, and what can be done with it afterwards: thoughts, output as it comes, figures, copies.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { call, gate, text, thought } from './support/model';
import { expect, test } from './support/test';

/** What was copied last. */
async function clipboard(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

test('what was said is put into the composer, changed, and sent as a new turn', async ({ desk, page, model }) => {
  model.script('about March', [text('Of March.')]);
  model.script('about April', [text('Of April.')]);
  await desk.openSession();
  await desk.ask('Tell me\nabout March');
  await desk.lastTurn.getByRole('button', { name: 'Edit and send again' }).click();
  await expect(desk.composer).toHaveValue('Tell me\nabout March');
  await expect(desk.composer).toBeFocused();
  await page.keyboard.press('ControlOrMeta+Shift+ArrowLeft');
  await page.keyboard.type('April');
  await page.keyboard.press('Enter');
  await expect(desk.turns).toHaveCount(2);
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Tell me about April');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Of April.');
  await expect(desk.turns.first().locator('.prose'), 'what was there stays').toHaveText('Of March.');
});

test('a turn is tried again with the same words', async ({ desk, model }) => {
  model.script('Count', [text('Three.')]);
  await desk.openSession();
  await desk.ask('Count them');
  await desk.lastTurn.getByRole('button', { name: 'Try again' }).click();
  await expect(desk.turns).toHaveCount(2);
  await desk.finished();
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Count them');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Three.');
});

test('an answer and a block of code are copied as text', async ({ desk, page, model }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  model.script('How', [text('Do **this**:\n\n```sh\ngrep ACME *.csv\nwc -l\n```\n\nThat is all.')]);
  await desk.openSession();
  await desk.ask('How?');
  const code = desk.lastTurn.getByRole('button', { name: 'Copy' }).and(page.locator('[data-copy="code"]'));
  await desk.lastTurn.locator('pre').hover();
  await code.click();
  await expect(code).toHaveAttribute('data-copied', '');
  expect(await clipboard(page)).toBe('grep ACME *.csv\nwc -l\n');

  await desk.lastTurn.locator('[data-copy="turn"]').click();
  await expect.poll(() => clipboard(page)).toContain('Do this:');
  const copied = await clipboard(page);
  expect(copied).toContain('grep ACME *.csv');
  expect(copied).toContain('That is all.');
  expect(copied, 'no words of the page').not.toContain('Copy');
});

test('thoughts are folded, and open', async ({ desk, model }) => {
  model.script('Why', [thought('First I look. '), thought('Then I see.'), text('Because.')]);
  await desk.openSession();
  await desk.ask('Why?');
  const thinking = desk.lastTurn.locator('.thinking');
  await expect(thinking.locator('summary')).toHaveText('Thinking');
  await expect(thinking.locator('p')).toBeHidden();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Because.');
  await thinking.locator('summary').click();
  await expect(thinking.locator('p')).toHaveText('First I look. Then I see.');
});

test('a turn tells its time at once, and its tokens when it is asked', async ({ desk, model }) => {
  model.script('Read', [call('read_file', { path: 'notes.txt' })], [text('Read.')]);
  await desk.openSession();
  await desk.ask('Read');
  const facts = desk.lastTurn.locator('.facts');
  await expect(facts.locator('summary')).toHaveText(/^[\d.,]+ ?(ms|s|min)/);
  await expect(facts.locator('dl')).toBeHidden();
  await facts.locator('summary').click();
  await expect(facts.locator('dl > div')).toHaveText([/^Model.*scripted/, /^Tokens.*240.* in, 60 out$/, /^Steps.*1$/]);
});

test('a command shows what it puts out while it runs', async ({ desk, model, workspace }) => {
  // It waits for a file that the test writes.
  const command = 'echo half way; until [ -e go ]; do sleep 0.05; done; echo the end';
  model.script('Run', [call('shell_execute', { command })], [text('Done.')]);
  await desk.openSession();
  await desk.say('Run it');
  await (await desk.waiting()).getByRole('button', { name: 'Allow once' }).click();
  const step = desk.lastTurn.locator('.call');
  await expect(step).toHaveAttribute('data-state', 'running');
  await expect(step.locator('.call-live')).toBeVisible();
  await expect(step.locator('.call-live')).toHaveText('half way', { useInnerText: true });
  await expect(step.locator('.call-time'), 'the time goes on').toHaveText(/^\d+ s$/);
  writeFileSync(join(workspace.folder, 'go'), '');
  await desk.finished();
  await expect(step).toHaveAttribute('data-state', 'done');
  await expect(step.locator('.call-live')).toBeHidden();
  await step.locator('summary').first().click();
  await expect(step.locator('.call-body')).toContainText('half way\nthe end');
});

test('of a long output the beginning is shown, and all of it on demand', async ({ desk, model, workspace }) => {
  const lines = Array.from({ length: 800 }, (_, line) => `row ${line} of the long file`);
  writeFileSync(join(workspace.folder, 'long.txt'), `${lines.join('\n')}\n`);
  model.script('Read', [call('read_file', { path: 'long.txt' })], [text('Read.')]);
  await desk.openSession();
  await desk.ask('Read it');
  const step = desk.lastTurn.locator('.call');
  await step.locator('summary').first().click();
  const output = step.locator('.call-body pre').last();
  await expect(output).toContainText('row 0 of');
  await expect(output).not.toContainText('row 790 of');
  await step.getByRole('link', { name: 'Load all' }).click();
  await expect(output).toContainText('row 790 of');
  await expect(step.getByRole('link', { name: 'Load all' })).toHaveCount(0);
});

test('a reader may stand anywhere: what is opened stays under the eye', async ({ desk, page, model }) => {
  model.script('Long', [text('line\n\n'.repeat(60)), call('read_file', { path: 'notes.txt' })], [text('More.'), gate('more'), text('\n\nline'.repeat(20))]);
  await desk.openSession();
  await desk.say('Long');
  await model.reached('more');
  const step = desk.lastTurn.locator('.call summary').first();
  await step.click();
  const place = async () => Math.round((await step.boundingBox())!.y);
  const before = await place();
  model.open('more');
  await desk.finished();
  expect(await place()).toBe(before);
  await expect(page.locator('.to-end button')).toBeVisible();
});
