// The page's frame: panels that stay as they were left, looks, keys, the palette, the list of sessions.
import { call, gate, text } from './support/model';
import { expect, test } from './support/test';

test('a panel that was closed or moved is so after a reload, without a jump', async ({ desk, page }) => {
  await desk.openSession({ title: 'Panels' });
  await page.getByRole('button', { name: 'Hide sessions and files' }).click();
  await expect(page.locator('#left')).toBeHidden();
  const line = page.getByRole('separator', { name: 'Width of logs, progress and changes' });
  await line.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(line).toHaveAttribute('aria-valuenow', '396');
  await page.getByRole('tab', { name: 'Progress' }).click();

  const html = await (await page.request.get(page.url(), { headers: { accept: 'text/html' } })).text();
  expect(html, 'the server draws it so').toContain('--right:396px');
  expect(html).toContain('data-left="false"');
  await desk.reload();
  await expect(page.locator('#left')).toBeHidden();
  await expect(page.getByRole('tab', { name: 'Progress' })).toHaveAttribute('aria-selected', 'true');
  expect((await page.locator('#right').boundingBox())!.width).toBeCloseTo(396, 0);
});

test('a line between zones follows the pointer', async ({ desk, page }) => {
  await desk.openSession();
  const box = (await page.locator('.divider-left').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, 400);
  await page.mouse.down();
  await page.mouse.move(350, 400, { steps: 4 });
  await page.mouse.up();
  expect((await page.locator('#left').boundingBox())!.width).toBeCloseTo(350, -1);
});

test('below 1100 pixels the right panel is a drawer', async ({ desk, page }) => {
  await page.setViewportSize({ width: 1000, height: 800 });
  await desk.openSession();
  await expect(page.locator('#right')).toBeHidden();
  await page.locator('.toggle-right').click();
  await expect(page.locator('#right')).toBeVisible();
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.locator('#right')).toBeHidden();
});

test('a look is there at once and stays', async ({ desk, page }) => {
  await desk.openSession();
  await page.locator('summary[aria-label="Look and language"]').click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await desk.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.locator('summary[aria-label="Look and language"]').click();
  await page.getByRole('button', { name: 'Deutsch' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(page.getByRole('tab', { name: 'Protokoll' })).toBeVisible();
});

test('a menu closes with Escape, with another one and with a click beside it', async ({ desk, page }) => {
  await desk.openSession();
  const menu = (label: string) => page.locator(`details.menu:has(> summary[aria-label="${label}"])`);
  const [look, session] = [menu('Look and language'), page.locator('details.session-menu')];
  await look.locator('> summary').click();
  await expect(look).toHaveAttribute('open', '');
  await page.keyboard.press('Escape');
  await expect(look).not.toHaveAttribute('open');
  await expect(look.locator('> summary')).toBeFocused();
  await look.locator('> summary').click();
  await session.locator('> summary').click();
  await expect(look).not.toHaveAttribute('open');
  await expect(session).toHaveAttribute('open', '');
  await session.getByRole('textbox').first().click();
  await expect(session, 'what is in it is no other place').toHaveAttribute('open', '');
  await page.locator('.column').click({ position: { x: 5, y: 5 } });
  await expect(session).not.toHaveAttribute('open');
});

test('the palette finds sessions and commands by the keyboard alone', async ({ desk, page }) => {
  await desk.createSession({ title: 'Travel policy' });
  await desk.openSession({ title: 'Price list' });
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Go to or do' });
  await expect(palette.getByRole('combobox')).toBeFocused();
  await page.keyboard.type('progress');
  await expect(palette.getByRole('option').first()).toHaveText('Progress');
  await page.keyboard.press('Enter');
  await expect(palette).toBeHidden();
  await expect(page.getByRole('tab', { name: 'Progress' })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('travel');
  await expect(palette.getByRole('option', { name: 'Travel policy' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Travel policy');
});

test('sessions are renamed, pinned, archived, deleted and brought back in place', async ({ desk, page }) => {
  await desk.createSession({ title: 'First' });
  await desk.createSession({ title: 'Second' });
  await desk.openSession({ title: 'Third' });
  const list = page.locator('#sessions');
  const row = (name: string) => list.locator('.session-row', { hasText: name });
  const act = async (name: string, what: string) => {
    await list.getByRole('button', { name: `Session menu: ${name}` }).click();
    await list.getByRole('button', { name: what, exact: true }).click();
  };
  await act('First', 'Pin');
  await expect(list.getByRole('heading', { name: 'Pinned' })).toBeVisible();
  await expect(list.locator('.session-title').first()).toHaveText('First');

  // A pin set in another tab is there at once.
  const tab = await desk.newTab();
  await tab.open(new URL(page.url()).pathname);
  await tab.live();
  await act('Third', 'Pin');
  await expect(tab.page.locator('#sessions .session-title').first()).toHaveText('Third');
  await act('Third', 'Unpin');
  await expect(tab.page.locator('#sessions .session-title').first()).toHaveText('First');
  await tab.page.close();

  await row('Second').focus();
  await page.keyboard.press('F2');
  await page.keyboard.type('Better name');
  await page.keyboard.press('Enter');
  await expect(row('Better name')).toBeVisible();

  await act('Better name', 'Archive');
  await expect(row('Better name')).toHaveCount(0);
  await list.getByRole('button', { name: 'Show archived' }).click();
  await expect(row('Better name')).toBeVisible();
  await list.getByRole('button', { name: 'Hide archived' }).click();

  await act('First', 'Delete session');
  await expect(row('First')).toHaveCount(0);
  await list.getByRole('button', { name: 'Undo' }).click();
  await expect(row('First')).toBeVisible();
});

test('the search looks at titles and at what was said', async ({ desk, page, model }) => {
  model.script('Where', [text('The pelican is in the harbour.')]);
  await desk.openSession({ title: 'Birds' });
  await desk.ask('Where');
  await desk.openSession({ title: 'Ships' });
  const list = page.locator('#sessions');
  await list.getByRole('searchbox').fill('pelican');
  await expect(list.locator('.session-title')).toHaveText(['Birds']);
  await list.getByRole('searchbox').fill('nothing like it');
  await expect(list.getByText('Nothing found for “nothing like it”.')).toBeVisible();
});

test('logs: filter, pause, and the way to a step', async ({ desk, page, model }) => {
  model.script('Read', [call('read_file', { path: 'notes.txt' })], [text('Read.')]);
  await desk.openSession();
  await desk.ask('Read');
  await page.getByRole('button', { name: 'Tools', exact: true }).click();
  await expect(page.locator('.log-row')).toHaveCount(2);
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await page.getByRole('searchbox', { name: 'Filter by text' }).fill('turn 1 done');
  await expect(page.locator('.log-row')).toHaveCount(1);
  await page.getByRole('searchbox', { name: 'Filter by text' }).fill('');
  await page.getByRole('button', { name: 'Pause' }).click();
  const before = await page.locator('.log-row').count();
  await desk.ask('Read');
  await expect(page.getByRole('button', { name: /^Go on, \d+ new$/ })).toBeVisible();
  await expect(page.locator('.log-row')).toHaveCount(before);
  await page.getByRole('button', { name: /^Go on, / }).click();
  await expect(page.locator('.log-row')).not.toHaveCount(before);
  await desk.logs('turn_started').last().getByRole('link').click();
  await expect(page).toHaveURL(/#turn-2$/);
});

test('a long log is scrolled and filtered, and an event that comes costs no look at the others', async ({ desk, page, server }) => {
  // More than the page opens with and more than are drawn at once.
  const EVENTS = 400;
  const id = await desk.createSession({ title: 'Name 0' });
  const rename = async (title: string) => {
    const data = { title };
    const answer = await page.request.patch(`${server.home}/cowork/sessions/${id}`, { data, headers: { origin: server.origin } });
    expect(answer.status()).toBe(200);
  };
  for (let count = 1; count < EVENTS; count += 1) await rename(`Name ${count}`);
  await desk.open(`/sessions/${id}`);
  await desk.live();
  const rows = page.locator('.log-row');
  const scroller = page.getByRole('log', { name: 'Events' });
  await expect(rows.last()).toContainText(`Name ${EVENTS - 1}`);
  await scroller.evaluate((element) => (element.scrollTop = 0));
  await expect(rows.first()).toHaveAttribute('data-seq', String(EVENTS - 200 + 1));
  await expect.poll(() => scroller.evaluate((element) => element.scrollHeight)).toBeGreaterThan(28 * EVENTS - 1);
  await scroller.evaluate((element) => (element.scrollTop = 0));
  await expect(rows.first()).toHaveAttribute('data-seq', '1');
  expect(await rows.count(), 'only what can be seen is drawn').toBeLessThan(200);

  const filter = page.getByRole('searchbox', { name: 'Filter by text' });
  await filter.fill('NAME 39');
  await expect(rows).toHaveCount(11);
  await filter.fill('name 399');
  await expect(rows).toHaveCount(1);
  await filter.fill('name 39');
  await expect(rows).toHaveCount(11);
  // The page has the browser make small letters of what it compares.
  await page.evaluate(() => {
    const { toLowerCase } = String.prototype;
    Object.assign(window, { looks: 0 });
    String.prototype.toLowerCase = function (this: string) {
      (window as unknown as { looks: number }).looks += 1;
      return toLowerCase.call(this);
    };
  });
  await rename('Name 39 again');
  await expect(rows).toHaveCount(12);
  expect(await page.evaluate(() => (window as unknown as { looks: number }).looks)).toBeLessThan(20);
});

test('changes of a turn are shown with their diff, and taken back', async ({ desk, page, model, workspace }) => {
  model.script('Write', [call('write_file', { path: 'new.md', content: '# New\n' })], [text('Written.')]);
  const id = await desk.createSession({ title: 'Changing' });
  await desk.setMode(id, 'accept_edits');
  await desk.open(`/sessions/${id}`);
  await desk.ask('Write');
  await page.getByRole('tab', { name: /Changes/ }).click();
  const change = page.locator('.file-change', { hasText: 'new.md' });
  await change.locator('summary').click();
  await expect(change.locator('.diff .added')).toHaveText('+# New');
  await change.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('1 file is as it was before.')).toBeVisible();
  await expect(change).toContainText('taken back');
  expect(workspace.exists('new.md')).toBe(false);
});

test('the plan stands under Progress and goes on as the agent does', async ({ desk, page, model }) => {
  const plan = (...states: string[]) => {
    const tasks = ['Read the invoices', 'Add them up'].map((content, index) => ({ content, status: states[index] }));
    return call('task_tracker', { tasks });
  };
  model.script(
    'Add up',
    [plan('in_progress', 'pending')],
    [gate('half'), plan('completed', 'in_progress')],
    [gate('rest'), plan('completed', 'completed')],
    [text('Added up.')],
  );
  await desk.openSession();
  await page.getByRole('tab', { name: 'Progress' }).click();
  const rows = page.locator('.plan .task-row');
  const shows = async (done: string, ...states: string[]) => {
    await expect(page.locator('.plan-head')).toHaveText(done);
    await expect(rows).toHaveText([/Read the invoices$/, /Add them up$/]);
    for (const [index, state] of states.entries()) await expect(rows.nth(index)).toHaveAttribute('data-state', state);
  };
  await expect(page.locator('#right .empty')).toBeVisible();
  await expect(rows).toHaveCount(0);
  await desk.say('Add up');
  await model.reached('half');
  await shows('0 of 2 done', 'running', 'open');
  model.open('half');
  await model.reached('rest');
  await shows('1 of 2 done', 'done', 'running');
  await expect(page.locator('.task-row[aria-current="step"]')).toHaveText(/Add them up$/);
  await desk.reload();
  await shows('1 of 2 done', 'done', 'running');
  model.open('rest');
  await shows('2 of 2 done', 'done', 'done');
});
