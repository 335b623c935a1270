// An answer as it comes: shown at once, safe from reloads, stoppable, and the same in every tab.
import type { Locator } from '@playwright/test';
import { busy, call, gate, halfCall, hangUp, text } from './support/model';
import { expect, test } from './support/test';

test('text shows while the model is still writing', async ({ desk, model }) => {
  model.script('Tell me', [text('The first half'), gate('half'), text(' and the second.'), gate('end')]);
  await desk.openSession({ title: 'A tale' });
  await desk.say('Tell me');

  await model.reached('half');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('The first half');
  await expect(desk.lastTurn).toHaveAttribute('data-running', '');
  await expect(desk.stop).toBeVisible();
  await expect(desk.page).toHaveTitle('● A tale · Cowork');
  await expect(desk.page.locator('.session-row[aria-current]').getByRole('img', { name: 'running' })).toBeVisible();

  model.open('half');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('The first half and the second.');
  model.open('end');
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  await expect(desk.stop).toHaveCount(0);
  await expect(desk.page).toHaveTitle('A tale · Cowork');
});

test('a session without a title is named by its first message at once', async ({ desk, model }) => {
  model.script('What is in here', [text('Little.')]);
  await desk.openSession();
  await desk.ask('What is in here?');
  await expect(desk.page.getByRole('heading', { level: 1 })).toHaveText('What is in here?');
});

test('a reload in the middle of the answer loses nothing and goes on', { tag: '@phone' }, async ({ desk, model }) => {
  model.script('List them', [text('- alpha\n- be'), gate('first'), text('ta\n- gamma'), gate('second'), text('\n- delta')]);
  await desk.openSession();
  await desk.say('List them');
  await expect(desk.lastTurn.locator('.prose li')).toHaveText(['alpha', 'be']);

  await desk.reload();
  await expect(desk.turns).toHaveCount(1);
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('List them');
  await expect(desk.lastTurn.locator('.prose li')).toHaveText(['alpha', 'be']);
  model.open('first');
  await expect(desk.lastTurn.locator('.prose li')).toHaveText(['alpha', 'beta', 'gamma']);

  await desk.reload();
  await expect(desk.lastTurn.locator('.prose li')).toHaveText(['alpha', 'beta', 'gamma']);
  model.open('second');
  const whole = ['alpha', 'beta', 'gamma', 'delta'];
  await expect(desk.lastTurn.locator('.prose li')).toHaveText(whole);
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');

  await desk.reload();
  await expect(desk.lastTurn.locator('.prose li')).toHaveText(whole);
});

test('a second tab sees the same, as it comes', async ({ desk, model }) => {
  model.script('Both', [text('one'), gate('one'), text(' two')]);
  const id = await desk.openSession();
  const other = await desk.newTab();
  await other.open(`/sessions/${id}`);
  await other.live();

  await desk.say('Both');
  for (const tab of [desk, other]) {
    await expect(tab.lastTurn.locator('.bubble')).toHaveText('Both');
    await expect(tab.lastTurn.locator('.prose')).toHaveText('one');
  }
  // The other tab may stop it as well: it is one session.
  await expect(other.stop).toBeEnabled();
  model.open('one');
  for (const tab of [desk, other]) await expect(tab.lastTurn.locator('.prose')).toHaveText('one two');
  await expect(desk.logs('turn_completed')).toHaveCount(1);
  await expect(other.logs('turn_completed')).toHaveCount(1);
  const rows = (tab: typeof desk) => tab.page.locator('.log-row .log-text').allTextContents();
  expect(await rows(other)).toEqual(await rows(desk));
});

test('Stop ends the turn within a second and keeps what was written', { tag: '@phone' }, async ({ desk, model }) => {
  model.script('Never ends', [text('Kept text'), gate('never')]);
  await desk.openSession();
  await desk.say('Never ends');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Kept text');

  await desk.stop.click();
  await expect(desk.lastTurn, 'the promise is one second').not.toHaveAttribute('data-running', { timeout: 1000 });
  await expect(desk.stop).toHaveCount(0);
  const assertKept = async () => {
    await expect(desk.lastTurn.locator('.prose')).toHaveText('Kept text');
    await expect(desk.lastTurn.locator('.message')).toHaveAttribute('data-partial', '');
    await expect(desk.lastTurn.locator('.notice')).toHaveText(/stopped/i);
    await expect(desk.logs('turn_interrupted')).toHaveText(/Turn 1 stopped by you/);
  };
  await assertKept();
  await expect.poll(() => model.hungUp, { message: 'the model is let go of' }).toBe(1);
  await desk.reload();
  await assertKept();
});

test('a message that is sent while a turn runs waits and is sent next', async ({ desk, model }) => {
  model.script('First', [text('Answer one'), gate('first')]);
  model.script('Second', [text('Answer two')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('first');
  await desk.say('Second');

  const waiting = desk.page.getByRole('region', { name: 'Waiting messages' });
  await expect(waiting.getByText('Sent next')).toBeVisible();
  await expect(waiting.locator('.bubble')).toHaveText('Second');
  await expect(desk.composer).toHaveValue('');
  await expect(desk.turns).toHaveCount(1);
  await desk.reload();
  await expect(waiting.locator('.bubble')).toHaveText('Second');

  model.open('first');
  await expect(desk.turns).toHaveCount(2);
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Second');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Answer two');
  await expect(waiting).toHaveCount(0);
});

test('Stop holds what waits until the person goes on', async ({ desk, model }) => {
  model.script('First', [gate('never')]);
  model.script('Second', [text('Answer two')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('never');
  await desk.say('Second');
  await expect(desk.page.locator('.queued .bubble')).toHaveText('Second');

  await desk.stop.click();
  await expect(desk.page.getByText('Kept until you go on, or send it now')).toBeVisible();
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  await desk.page.getByRole('button', { name: 'Send now' }).click();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Answer two');
  await expect(desk.page.locator('.queued')).toHaveCount(0);
});

test('a waiting message is edited in its place: Enter saves, Shift+Enter makes a line, Escape leaves it', async ({ desk, model, page }) => {
  model.script('First', [gate('never')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('never');
  await desk.say('Second');
  await desk.say('Third');
  const item = page.locator('.queued').first();
  const field = item.getByRole('textbox');
  const place = (await item.locator('.bubble').boundingBox())!;

  await item.getByText('Edit', { exact: true }).click();
  await expect(field).toBeFocused();
  await expect(item.locator('.bubble'), 'the field takes its place').toBeHidden();
  const box = (await field.boundingBox())!;
  expect(Math.abs(box.y - place.y)).toBeLessThan(place.height);
  await expect(field).toBeInViewport();
  await page.keyboard.type(', or not');
  await page.keyboard.press('Escape');
  await expect(field).toBeHidden();
  await expect(item.locator('.bubble')).toHaveText('Second');
  await expect(item.getByText('Edit', { exact: true })).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(field).toBeFocused();
  await expect(field).toHaveValue('Second');
  await page.keyboard.type(' and');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('more');
  await composingEnter(field, { isComposing: true });
  await page.keyboard.press('Enter');
  await expect(item.locator('.bubble')).toHaveText('Second and\nmore', { useInnerText: true });
  await expect(field).toBeHidden();
  await expect(page.locator('.queued')).toHaveCount(2);
});

test('what is sent next stands first in the list', async ({ desk, model, page }) => {
  model.script('First', [gate('first')]);
  model.script('Urgent', [gate('urgent')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('first');
  for (const message of ['Later', 'Much later', 'Urgent']) {
    await desk.say(message);
    await expect(page.locator('.queued .bubble').last()).toHaveText(message);
  }
  await page.locator('.queued').last().getByRole('button', { name: 'Send next' }).click();
  const order = ['Urgent', 'Later', 'Much later'];
  await expect(page.locator('.queued .bubble')).toHaveText(order);
  await expect(page.locator('.queued').first().getByRole('button', { name: 'Send next' })).toBeHidden();
  await desk.reload();
  await expect(page.locator('.queued .bubble')).toHaveText(order);
  model.open('first');
  await model.reached('urgent');
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Urgent');
  await expect(page.locator('.queued .bubble')).toHaveText(['Later', 'Much later']);
});

test('a model that writes nothing for a while is named as what is waited for', async ({ desk, model, page }) => {
  model.script('Think', [gate('silent'), text('Here.'), gate('rest')]);
  await desk.openSession();
  await desk.say('Think');
  await model.reached('silent');
  const told = page.getByText('The model has not written anything yet.');
  await expect(told, 'not at once').toBeHidden();
  // As if the seconds had gone by.
  await told.evaluate((element) => element.getAnimations().forEach((animation) => animation.finish()));
  await expect(told).toBeVisible();
  model.open('silent');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Here.');
  await expect(told).toBeHidden();
});

test('Continue says that what waits is sent behind it, and that is what happens', async ({ desk, model }) => {
  model.script('First', [gate('never')]);
  model.script('Another', [gate('never again')]);
  model.script('Please go on where you stopped.', [text('Answer one')]);
  model.script('Second', [text('Answer two')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('never');
  await desk.stop.click();
  const go_on = desk.page.locator('.ending').getByRole('button');
  await expect(go_on).toHaveText('Continue', { useInnerText: true });

  await desk.say('Another');
  await model.reached('never again');
  await desk.say('Second');
  await expect(desk.page.locator('.queued .bubble')).toHaveText('Second');
  await desk.stop.click();
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  await expect(go_on.last()).toHaveText('Continue, then send what waits', { useInnerText: true });
  await go_on.last().click();
  await expect(desk.turns).toHaveCount(4);
  await expect(desk.turns.locator('.bubble')).toHaveText(['First', 'Another', 'Please go on where you stopped.', 'Second']);
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Answer two');
});

test('a draft survives a reload and goes when it is sent', async ({ desk, model }) => {
  model.script('half a thought', [text('Understood.')]);
  await desk.openSession();
  await desk.composer.fill('half a thought');
  await desk.reload();
  await expect(desk.composer).toHaveValue('half a thought');
  await desk.page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Understood.');
  await expect(desk.composer).toHaveValue('');
  await desk.reload();
  await expect(desk.composer).toHaveValue('');
});

test('Enter sends, Shift+Enter makes a line, the Enter of an input method does neither', async ({ desk, model }) => {
  model.script('two', [text('Read both lines.')]);
  await desk.openSession();
  await desk.composer.click();
  await desk.page.keyboard.type('one');
  await desk.page.keyboard.press('Shift+Enter');
  await desk.page.keyboard.type('two');
  await expect(desk.composer).toHaveValue('one\ntwo');

  await composingEnter(desk.composer, { isComposing: true });
  await composingEnter(desk.composer, { keyCode: 229 });
  await expect(desk.composer).toHaveValue('one\ntwo');
  expect((await desk.session(desk.sessionId())).status).toBe('idle');
  await expect(desk.turns).toHaveCount(0);

  await desk.page.keyboard.press('Enter');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Read both lines.');
  await expect(desk.turns).toHaveCount(1);
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('one\ntwo', { useInnerText: true });
});

/** The Enter that takes over a suggestion, as browsers send it. The page must leave it to the input method. */
async function composingEnter(field: Locator, how: { isComposing?: boolean; keyCode?: number }): Promise<void> {
  const left = await field.evaluate((element, how) => {
    const init = { key: 'Enter', bubbles: true, cancelable: true, ...how };
    return element.dispatchEvent(new KeyboardEvent('keydown', init));
  }, how);
  expect(left, 'the page did not take the key').toBe(true);
}

test('an empty message is not sent', async ({ desk }) => {
  await desk.openSession();
  await desk.composer.fill('   ');
  await desk.composer.press('Enter');
  await expect(desk.composer).toHaveValue('   ');
  await expect(desk.turns).toHaveCount(0);
  await expect(desk.logs('user_message_received')).toHaveCount(0);
});

test('a tool call opens to its input and output, also while the turn goes on', async ({ desk, model }) => {
  model.script('Read the notes', [call('read_file', { path: 'notes.txt' })], [gate('answer'), text('Done.')]);
  await desk.openSession();
  await desk.say('Read the notes');
  await model.reached('answer');

  const line = desk.lastTurn.locator('.call');
  await expect(line).toHaveAttribute('data-state', 'done');
  await expect(line.locator('.call-body')).toBeHidden();
  await line.locator('summary').click();
  await expect(line.locator('.call-body .args')).toHaveText('pathnotes.txt');
  await expect(line.locator('.call-body')).toContainText('Call ACME about the March invoice.');

  model.open('answer');
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  await expect(line.locator('.call-body'), 'it stays open').toBeVisible();
});

test('a long file that is being written is named before the call is whole', async ({ desk, model }) => {
  const args = { path: 'report.md', content: 'A line of the report.\n'.repeat(400) };
  model.script('Write the report', [halfCall('write_file', args, 'half')], [text('Done.')]);
  await desk.openSession();
  await desk.say('Write the report');
  await model.reached('half');
  const working = desk.lastTurn.locator('.working');
  await expect(working).toContainText('Preparing to write report.md 4 kB', { useInnerText: true });
  await desk.reload();
  await expect(working, 'for one who joins').toContainText('Preparing to write report.md', { useInnerText: true });
  model.open('half');
  await (await desk.waiting()).getByRole('button', { name: 'Allow once' }).click();
  await desk.finished();
  await expect(desk.lastTurn.locator('.call-line')).toContainText('Wrote report.md', { useInnerText: true });
});

test('a failed tool call says so and the turn goes on', async ({ desk, model }) => {
  model.script('Read it', [call('read_file', { path: 'missing.txt' })], [text('There is no such file.')]);
  await desk.openSession();
  await desk.ask('Read it');
  const line = desk.lastTurn.locator('.call');
  await expect(line).toHaveAttribute('data-state', 'failed');
  await line.locator('summary').click();
  await expect(line.locator('pre.failed')).toBeVisible();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('There is no such file.');
});

test('a model that breaks off is an interrupted turn with its text', async ({ desk, model }) => {
  model.script('Break', [text('So far so'), gate('break'), hangUp]);
  await desk.openSession();
  await desk.say('Break');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('So far so');
  model.open('break');
  await expect(desk.lastTurn.locator('.notice-failed')).toBeVisible();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('So far so');
});

test.describe('a model that is too busy', () => {
  test.use({ attempts: 2 });

  test('is asked again, and the page says why until the answer begins', async ({ desk, model }) => {
    model.script('Hello', [busy(1), gate('second'), text('Here'), gate('rest'), text(' I am.')]);
    await desk.openSession();
    await desk.say('Hello');
    await model.reached('second');
    const notice = desk.lastTurn.locator('.notice-waiting');
    const why = /Too many people are asking\. .*Trying again in \d+ s \(attempt 2\)\.$/;
    await expect(notice).toHaveText(why);
    await expect(desk.logs('model_retry')).toContainText('Too many people are asking');
    await desk.reload();
    await expect(notice).toHaveText(why);

    model.open('second');
    await expect(desk.lastTurn.locator('.prose')).toHaveText('Here');
    await expect(notice).toHaveCount(0);
    await desk.reload();
    await expect(desk.lastTurn.locator('.prose')).toHaveText('Here');
    await expect(notice).toHaveCount(0);
    model.open('rest');
    await desk.finished();
    await expect(desk.lastTurn.locator('.prose')).toHaveText('Here I am.');
    await expect(notice).toHaveCount(0);
  });
});
