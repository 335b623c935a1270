// The composer: files behind `@`, commands behind `/`, lines and sending, on a desk and in a hand.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gate, text } from './support/model';
import { expect, test } from './support/test';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

test.beforeEach(({ workspace }) => {
  mkdirSync(join(workspace.folder, 'invoices/old'));
  writeFileSync(join(workspace.folder, 'invoices/old/initech-0100.txt'), 'Invoice 0100\n');
});

test('files are found behind @ by the keys alone', async ({ desk, page }) => {
  await desk.openSession();
  await desk.composer.pressSequentially('Compare @inv');
  const offers = page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option');
  await expect(offers.filter({ hasText: '@invoices/acme-0231.txt' })).toBeVisible();
  await expect(offers.first()).toHaveAttribute('aria-selected', 'true');
  await expect(desk.composer).toHaveAttribute('aria-activedescendant', 'suggestion-0');
  await desk.composer.press('ArrowDown');
  await expect(offers.nth(1)).toHaveAttribute('aria-selected', 'true');
  await desk.composer.press('ArrowUp');
  await desk.composer.press('Escape');
  await expect(offers).toHaveCount(0);
  await expect(desk.composer, 'Escape leaves what was written').toHaveValue('Compare @inv');

  await desk.composer.pressSequentially('oices/old/');
  await expect(offers).toHaveText([/@invoices\/old\/initech-0100\.txt/]);
  await desk.composer.press('Enter');
  await expect(desk.composer).toHaveValue('Compare @invoices/old/initech-0100.txt ');
  await expect(desk.turns, 'Enter took the offer and sent nothing').toHaveCount(0);
});

test('a file is taken with the mouse, in the midst of a line', async ({ desk, page }) => {
  await desk.openSession();
  await desk.composer.fill('Compare  with the ledger');
  for (let key = 0; key < ' with the ledger'.length; key += 1) await desk.composer.press('ArrowLeft');
  await desk.composer.pressSequentially('@glob');
  await page.getByRole('option', { name: '@invoices/globex-0232.txt' }).click();
  await expect(desk.composer).toHaveValue('Compare @invoices/globex-0232.txt  with the ledger');
  await expect(desk.composer).toBeFocused();
  await page.keyboard.type('and');
  await expect(desk.composer).toHaveValue('Compare @invoices/globex-0232.txt and with the ledger');
});

test('each command is offered with its meaning, and does it', async ({ desk, page, model }) => {
  model.script('Endless', [text('So far'), gate('never')]);
  await desk.openSession({ title: 'Commands' });
  await desk.composer.pressSequentially('/');
  const offers = page.getByRole('option');
  await expect(offers.locator('code')).toHaveText([/\/stop/, /\/mode/, /\/model/, /\/rename/, /\/export/, /\/help/]);
  await desk.composer.press('Escape');
  await desk.composer.fill('');

  const run = async (command: string) => {
    await desk.composer.fill(command);
    await desk.composer.press('Enter');
    await expect(desk.composer).toHaveValue('');
  };
  await desk.say('Endless');
  await model.reached('never');
  await run('/stop ');
  await desk.finished();
  await expect(desk.lastTurn.locator('.notice')).toHaveText(/stopped/i);

  const menus = page.locator('.composer details.menu');
  await run('/mode ');
  await expect(menus.nth(0)).toHaveAttribute('open', '');
  await expect(page.getByRole('button', { name: /Accepts edits/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await run('/model ');
  await expect(menus.nth(1)).toHaveAttribute('open', '');
  await page.keyboard.press('Escape');
  await run('/rename Another name');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Another name');
  await run('/help ');
  await expect(page.locator('.composer-area .notice')).toContainText('/export – download the conversation');
  await expect(desk.turns, 'none of them was said').toHaveCount(1);
});

test('a conversation is downloaded: by a command and by the links of the session menu', async ({ desk, page, model }) => {
  model.script('Read', [text('Read **it**.')]);
  await desk.openSession({ title: 'March' });
  await desk.ask('Read it');
  await desk.composer.fill('/export ');
  const [byCommand] = await Promise.all([page.waitForEvent('download'), desk.composer.press('Enter')]);
  expect(byCommand.suggestedFilename()).toMatch(/^conversation-[0-9a-f]{8}\.md$/);
  expect(readFileSync(await byCommand.path(), 'utf8')).toMatch(/^# March\n[\s\S]*> Read it\n[\s\S]*Read \*\*it\*\*\./);

  await page.locator('.session-menu > summary').click();
  const [byLink] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as data (JSON)' }).click()]);
  expect(byLink.suggestedFilename()).toMatch(/\.json$/);
  const { session, turns } = JSON.parse(readFileSync(await byLink.path(), 'utf8'));
  expect(session.title).toBe('March');
  expect(turns.map((row: { role: string }) => row.role)).toEqual(['user', 'assistant']);
  await expect(desk.lastTurn.locator('.prose'), 'the page stays').toHaveText('Read it.');
});

test('on a desk Enter sends, and with Shift it makes a line', async ({ desk, page, model }) => {
  model.script('two', [text('Both.')]);
  await desk.openSession();
  await desk.composer.pressSequentially('one');
  await desk.composer.press('Shift+Enter');
  await page.keyboard.type('two');
  await expect(desk.composer).toHaveValue('one\ntwo');
  await desk.composer.press('Enter');
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('one two');
});

test.describe('in a hand', () => {
  test.use(PHONE);

  test('Enter makes a line, and the button sends', async ({ desk, page, model }) => {
    model.script('two', [text('Both.')]);
    await desk.openSession();
    await desk.composer.tap();
    await page.keyboard.type('one');
    await page.keyboard.press('Enter');
    await page.keyboard.type('two');
    await expect(desk.composer).toHaveValue('one\ntwo');
    await expect(desk.turns).toHaveCount(0);
    await page.getByRole('button', { name: 'Send', exact: true }).tap();
    await expect(desk.lastTurn.locator('.prose')).toHaveText('Both.');
    await expect(desk.composer).toHaveValue('');
  });

  test('a file is taken with a tap', async ({ desk, page }) => {
    await desk.openSession();
    await desk.composer.tap();
    await page.keyboard.type('@glob');
    const offer = page.getByRole('option', { name: '@invoices/globex-0232.txt' });
    await expect(offer).toBeInViewport({ ratio: 1 });
    await offer.tap();
    await expect(desk.composer).toHaveValue('@invoices/globex-0232.txt ');
  });
});
