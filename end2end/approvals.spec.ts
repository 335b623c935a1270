// Nothing is changed without a word: the cards that ask for it, with scripts and without.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, text } from './support/model';
import { expect, test } from './support/test';

const WRITE = call('write_file', { path: 'sum.md', content: '# Sum\n1200.00\n' });

test('a change is asked about exactly, and made once it is allowed', { tag: '@phone' }, async ({ desk, model, server, workspace }) => {
  model.script('Write the sum', [WRITE], [text('The sum is written.')]);
  await desk.openSession();
  await desk.say('Write the sum');

  const card = await desk.waiting();
  await expect(card).toContainText('May I write sum.md?', { useInnerText: true });
  await expect(card).toContainText('Nothing runs until you answer.');
  await expect(card).toContainText('Changes files, can be undone');
  await expect(card.locator('.diff .added')).toHaveText(['+ # Sum', '+ 1200.00']);
  await expect(card.getByRole('button')).toHaveText(['Allow once', 'Allow writing files directly in the folder in this session', 'Deny']);
  expect(existsSync(join(workspace.folder, 'sum.md')), 'nothing has happened yet').toBe(false);

  await card.getByRole('button', { name: 'Allow once' }).click();
  await desk.finished();
  await expect(desk.asks).toHaveCount(0);
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('The sum is written.');
  expect(readFileSync(join(workspace.folder, 'sum.md'), 'utf8')).toBe('# Sum\n1200.00\n');
  const step = desk.lastTurn.locator('.call');
  await expect(step).toHaveAttribute('data-state', 'done');
  await expect(step.locator('.call-line')).toContainText('Wrote');
  await expect(step.locator('.call-below .added'), 'the change stands under its step').toHaveText(['+ # Sum', '+ 1200.00']);
  await step.locator('summary').first().click();
  await expect(step.locator('.decided')).toHaveText(`Allowed once by ${server.me}.`);
});

test('a change with a long line leaves every choice in sight', async ({ desk, model, page }) => {
  const content = `${'a long line '.repeat(400)}\n${'short\n'.repeat(10)}`;
  model.script('Write it', [call('write_file', { path: 'long.md', content })], [text('Written.')]);
  await desk.openSession();
  await desk.say('Write it');
  const card = await desk.waiting();
  const change = card.locator('.ask-change > summary');
  await expect(change).toHaveText('Show the change', { useInnerText: true });
  await change.click();
  await expect(change).toHaveText('Hide the change', { useInnerText: true });
  await expect(card.locator('.diff').first()).toBeVisible();
  const diff = (await card.locator('.diff').first().boundingBox())!;
  expect(diff.width, 'it scrolls in itself').toBeLessThan((await card.boundingBox())!.width);
  const deny = (await card.getByRole('button', { name: 'Deny' }).boundingBox())!;
  expect(deny.x + deny.width).toBeLessThan(page.viewportSize()!.width);
});

test('a denied change is not made, and the turn goes on', async ({ desk, model, workspace }) => {
  model.script('Write the sum', [WRITE], [text('Then I leave it.')]);
  await desk.openSession();
  await desk.say('Write the sum');
  await (await desk.waiting()).getByRole('button', { name: 'Deny' }).click();
  await desk.finished();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('Then I leave it.');
  await expect(desk.lastTurn.locator('.call')).toHaveAttribute('data-state', 'failed');
  await expect(desk.lastTurn.locator('.call-line')).toContainText('Not allowed: write sum.md', { useInnerText: true });
  expect(existsSync(join(workspace.folder, 'sum.md'))).toBe(false);
});

test('several changes are denied by one word, and one alone has none', { tag: '@phone' }, async ({ desk, model, page, workspace }) => {
  const write = (path: string) => call('write_file', { path, content: 'x\n' });
  model.script('Write both', [write('a.md'), write('b.md')], [text('Then not.')]);
  model.script('Write one', [write('a.md')], [text('Not either.')]);
  const denyAll = page.locator('.deny-all');
  await desk.openSession();
  await desk.say('Write both');
  const asked = async () => (await desk.events(desk.sessionId())).filter((type) => type === 'approval_requested').length;
  await expect.poll(asked).toBe(2);
  await desk.waiting();
  await expect(desk.asks).toHaveCount(2);
  await denyAll.getByRole('button', { name: 'Deny all 2' }).click();
  await desk.finished();
  await expect(desk.lastTurn.locator('.call-line').filter({ hasText: 'Not allowed' })).toHaveCount(2);
  for (const name of ['a.md', 'b.md']) expect(existsSync(join(workspace.folder, name))).toBe(false);

  await desk.say('Write one');
  await desk.waiting();
  await expect(denyAll).toBeHidden();
});

test('“in this session” names its scope, spares the next question, and can be taken back', async ({ desk, model, page }) => {
  const write = (path: string) => call('write_file', { path, content: 'x\n' });
  model.script('First', [write('out/a.txt')], [text('One.')]);
  model.script('Second', [write('out/b.txt')], [text('Two.')]);
  model.script('Third', [write('out/c.txt')], [text('Three.')]);
  await desk.openSession();
  await desk.say('First');
  await (await desk.waiting()).getByRole('button', { name: 'Allow writing in out in this session' }).click();
  await desk.finished();
  await desk.ask('Second');
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('Two.');

  const chip = page.locator('.composer summary.chip').first();
  await chip.click();
  await page.getByRole('button', { name: 'Take back: write_file: out' }).click();
  await expect(page.getByRole('button', { name: /Take back/ })).toHaveCount(0);
  await desk.say('Third');
  await expect(await desk.waiting()).toContainText('out/c.txt');
});

test('a question with choices is answered by a click', async ({ desk, model }) => {
  const options = [{ label: 'Excel', description: 'A workbook' }, 'Plain text'];
  model.script('Export', [call('ask_user', { question: 'Which format?', options })], [text('As you like.')]);
  await desk.openSession();
  await desk.say('Export');
  const card = await desk.waiting();
  await expect(card).toContainText('Which format?');
  await expect(card).toContainText('A workbook');
  await card.getByRole('button', { name: 'Plain text' }).click();
  await desk.finished();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('As you like.');
  await desk.lastTurn.locator('.call summary').first().click();
  await expect(desk.lastTurn.locator('.decided')).toContainText('Plain text');
});

test('a question with several choices, and one in own words', { tag: '@phone' }, async ({ desk, model }) => {
  model.script('Which ones', [call('ask_user', { question: 'Which months?', question_type: 'multi_choice', options: ['January', 'February', 'March'] })], [
    call('ask_user', { question: 'And the title?' }),
  ], [text('All is known.')]);
  await desk.openSession();
  await desk.say('Which ones');
  const months = await desk.waiting();
  await months.getByRole('checkbox', { name: 'January' }).check();
  await months.getByRole('checkbox', { name: 'March' }).check();
  await months.locator('.ask-options').getByRole('button', { name: 'Answer' }).click();

  await expect(desk.page.locator('.ask', { hasText: 'Which months?' })).toHaveCount(0);
  const title = await desk.waiting();
  await expect(title).toContainText('And the title?');
  await title.getByRole('textbox').fill('First quarter');
  await title.getByRole('button', { name: 'Answer' }).click();
  await desk.finished();
  await expect(desk.lastTurn.locator('.call')).toHaveCount(2);
  await desk.lastTurn.locator('.call summary').first().click();
  await expect(desk.lastTurn.locator('.decided').first()).toContainText('January, March');
});

test('characters that deceive are shown by their number', async ({ desk, model }) => {
  const trick = call('write_file', { path: 'invoice\u202efdp.exe', content: 'x' });
  model.script('Trick', [trick], [call('write_file', { path: 'plain.md', content: '\u2066hidden\n' })], [text('Done.')]);
  await desk.openSession();
  await desk.say('Trick');
  await expect(await desk.waiting()).toContainText('⟨U+2066⟩hidden');
  const refused = desk.lastTurn.locator('.call').first();
  await expect(refused, 'no file may have such a name, so nobody is asked').toHaveAttribute('data-state', 'failed');
  await expect(refused.locator('.call-line')).toContainText('invoice⟨U+202E⟩fdp.exe');
});

test('a file that is there is shown as it would change', async ({ desk, model, workspace }) => {
  writeFileSync(join(workspace.folder, 'sum.md'), '# Sum\n1100.00\n');
  model.script('Write the sum', [WRITE], [text('The sum is written.')]);
  await desk.openSession();
  await desk.say('Write the sum');
  const card = await desk.waiting();
  await expect(card.locator('.diff .removed')).toHaveText(['- 1100.00']);
  await expect(card.locator('.diff .added')).toHaveText(['+ 1200.00']);
});
