// The conversation as it lives: several tabs, reloads, the queue, words into a running turn, and where the reader stands.
import { call, gate, text } from './support/model';
import { expect, test } from './support/test';

const WRITE = call('write_file', { path: 'sum.md', content: '1200.00\n' });

test('two tabs: the first word counts, the other is told whose it was', async ({ desk, model, page, watch }) => {
  model.script('Write', [WRITE], [text('Good.')]);
  const id = await desk.openSession();
  await desk.say('Write');
  await desk.waiting();
  const other = await desk.newTab();
  await other.open(`/sessions/${id}`);
  await other.live();
  await expect(other.asks).toHaveCount(1);
  await expect(other.composer).toHaveAttribute('placeholder', /Answer above/);

  // The other tab's word is held back on its way until this one's has counted.
  watch.allow(/409/);
  let let_go = () => {};
  const held = new Promise<void>((resolve) => (let_go = resolve));
  await other.page.route('**/approvals/**', async (route) => {
    await held;
    await route.continue();
  });
  await other.asks.getByRole('button', { name: 'Deny' }).click();
  await desk.asks.getByRole('button', { name: 'Allow once' }).click();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('Good.');
  let_go();
  await expect(other.page.locator('.composer-area .notice-failed')).toHaveText(/Already answered by .* allowed once/);
  await expect(other.asks).toHaveCount(0);
  await expect(page.locator('.composer-area .notice-failed')).toHaveCount(0);
});

test('what waits survives a reload, with what was typed', { tag: '@phone' }, async ({ desk, model }) => {
  model.script('Ask me', [call('ask_user', { question: 'What is the title?' })], [text('Thank you.')]);
  await desk.openSession();
  await desk.say('Ask me');
  const card = await desk.waiting();
  await card.getByRole('textbox').fill('Half an ans');
  await desk.reload();
  await desk.live();
  await expect(desk.asks.getByRole('textbox')).toHaveValue('Half an ans');
  await expect(desk.composer).toHaveAttribute('placeholder', 'Your message answers the question above');

  await desk.say('Written below');
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('Thank you.');
  await expect(desk.turns, 'the message was the answer').toHaveCount(1);
});

test('neither Enter in the composer nor Escape decides anything', async ({ desk, model, page }) => {
  model.script('Write', [WRITE], [text('Good.')]);
  await desk.openSession();
  await desk.say('Write');
  await desk.waiting();
  await desk.composer.focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await desk.composer.fill('and then this');
  await page.keyboard.press('Enter');
  await expect(page.locator('.queued .bubble')).toHaveText('and then this');
  await expect(desk.asks).toHaveCount(1);
  expect((await desk.session(desk.sessionId())).status).toBe('awaiting_approval');
});

test('a waiting message can be changed, taken away, and sent first', { tag: '@phone' }, async ({ desk, model, page }) => {
  model.script('First', [gate('first'), text('One.')]);
  model.script('Changed', [text('Two.')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('first');
  await desk.say('Secnd');
  await desk.say('Useless');
  const queued = page.locator('.queued');
  await expect(queued).toHaveCount(2);

  await queued.filter({ hasText: 'Useless' }).getByRole('button', { name: 'Remove' }).click();
  await expect(queued).toHaveCount(1);
  await queued.locator('summary', { hasText: 'Edit' }).click();
  await queued.getByRole('textbox').fill('Changed');
  await queued.getByRole('button', { name: 'Save' }).click();
  await expect(queued.locator('.bubble')).toHaveText('Changed');

  model.open('first');
  await expect(desk.turns).toHaveCount(2);
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Two.');
});

test('a word into the running turn reaches the model with its next call', async ({ desk, model, page }) => {
  model.script('Count', [call('list_directory', { path: '.' })], [gate('middle'), call('list_directory', { path: 'invoices' })], [text('Done.')]);
  await desk.openSession();
  await desk.say('Count');
  await model.reached('middle');
  await desk.composer.fill('Only the invoices');
  await page.getByRole('button', { name: 'Tell it now' }).click();
  await expect(desk.lastTurn.locator('.bubble')).toHaveText(['Count', 'Only the invoices']);
  await expect(desk.composer).toHaveValue('');
  model.open('middle');
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  await desk.reload();
  await expect(desk.lastTurn.locator('.bubble')).toHaveText(['Count', 'Only the invoices']);
});

test('mode and model are chips that say what is so', { tag: '@phone' }, async ({ desk, page }) => {
  await desk.openSession();
  const chips = page.locator('.composer summary.chip');
  await expect(chips.first()).toHaveText('Asks before changes');
  await chips.first().click();
  await page.getByRole('button', { name: /Accepts edits/ }).click();
  await expect(chips.first()).toHaveText('Accepts edits');
  await expect(desk.logs('session_updated')).toHaveCount(1);
  await chips.nth(1).click();
  await expect(page.locator('.choice[name="model"][aria-pressed="true"]')).toHaveText('scripted');
});

test('the last words come back with the arrow, and commands are offered behind a slash', async ({ desk, model, page }) => {
  model.script('one', [text('1')]);
  model.script('two', [text('2')]);
  await desk.openSession();
  await desk.ask('say one');
  await desk.ask('say two');
  await desk.composer.press('ArrowUp');
  await expect(desk.composer).toHaveValue('say two');
  await desk.composer.press('ArrowUp');
  await expect(desk.composer).toHaveValue('say one');
  await desk.composer.press('ArrowDown');
  await desk.composer.press('ArrowDown');
  await expect(desk.composer).toHaveValue('');

  await desk.composer.pressSequentially('/ren');
  await expect(page.getByRole('option')).toHaveText([/\/rename/]);
  await desk.composer.press('Tab');
  await desk.composer.pressSequentially('A better name');
  await desk.composer.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('A better name');
  await expect(desk.turns).toHaveCount(2);
});

test('the reader who scrolls up is left alone, and is told what is new', async ({ desk, model, page }) => {
  const long = Array.from({ length: 60 }, (_, line) => `Line ${line}\n\n`).join('');
  model.script('Long', [text(long)]);
  model.script('More', [text('The beginning. '), gate('more'), text('And the end.')]);
  await desk.openSession();
  await desk.ask('Long');
  const scroller = page.locator('.scroller');
  const top = () => scroller.evaluate((element) => element.scrollTop);
  const atEnd = () => scroller.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight < 2);
  await expect.poll(atEnd).toBe(true);

  await desk.say('More');
  await model.reached('more');
  await expect.poll(atEnd).toBe(true);
  await scroller.hover();
  await page.mouse.wheel(0, -300);
  const toNewest = page.locator('.to-end button');
  await expect(toNewest).toHaveText('To the newest');
  const left = await top();
  model.open('more');
  await expect(toNewest).toHaveText('1 new');
  expect(await top(), 'nothing moved').toBe(left);
  await toNewest.click();
  await expect.poll(atEnd).toBe(true);
  await expect(toNewest).toHaveCount(0);
});

test('what leads to the newest covers no button of a card', async ({ desk, model, page }) => {
  const long = Array.from({ length: 60 }, (_, line) => `Line ${line}\n\n`).join('');
  model.script('Long', [text(long), WRITE], [text('Good.')]);
  await desk.openSession();
  await desk.say('Long');
  await desk.waiting();
  const toNewest = page.locator('.to-end button');
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 844 });
    await page.locator('.scroller').hover();
    await page.mouse.wheel(0, -300);
    await expect(toNewest).toBeVisible();
    const over = (await toNewest.boundingBox())!;
    for (const button of await desk.asks.getByRole('button').all()) {
      const under = (await button.boundingBox())!;
      const apart = over.y >= under.y + under.height || under.y >= over.y + over.height;
      expect(apart, `${await button.textContent()} at ${width}`).toBe(true);
    }
  }
});

test('a card that is out of sight stays in reach', async ({ desk, model, page }) => {
  const long = Array.from({ length: 60 }, (_, line) => `Line ${line}\n\n`).join('');
  model.script('Long', [text(long), WRITE], [text('Good.')]);
  await desk.openSession();
  await desk.say('Long');
  const card = await desk.waiting();
  await page.locator('.scroller').evaluate((element) => (element.scrollTop = 0));
  await expect(desk.lastTurn.locator('.bubble').first()).toBeInViewport();
  await expect(card.getByRole('button', { name: 'Allow once' })).toBeInViewport();
});

test('from any turn one goes on in a new session', async ({ desk, page, model }) => {
  model.script('First', [text('One.')]);
  model.script('Second', [text('Two.')]);
  const id = await desk.openSession({ title: 'Report' });
  await desk.ask('First');
  await desk.ask('Second');
  await desk.turns.first().getByRole('button', { name: 'Go on from here in a new session' }).click();
  await page.waitForURL((url) => url.pathname.includes('/sessions/') && !url.pathname.endsWith(id));
  await desk.live();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('↳ Report');
  await expect(desk.turns).toHaveCount(1);
  await expect(desk.turns.locator('.prose')).toHaveText('One.');
  await expect(desk.logs('session_started')).toContainText('from turn 1 of another one');
});
