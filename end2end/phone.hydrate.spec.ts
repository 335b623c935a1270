// A phone: one zone at a time, chosen by tabs, and nothing wider than the screen.
import type { Page } from '@playwright/test';
import { tooSmall } from './support/fingers';
import { call, gate, text, thought } from './support/model';
import { expect, test } from './support/test';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

/** Its name also says that there is news in it. */
const zoneTab = (page: Page, name: string) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: new RegExp(`^${name}`) });

const WIDE = `| ${'column | '.repeat(12)}\n|${'---|'.repeat(12)}\n| ${'value | '.repeat(12)}\n\n\`\`\`\n${'wide code '.repeat(40)}\n\`\`\`\n\n${'unbroken'.repeat(60)}`;

test('tabs show one zone at a time', async ({ desk, page, model }) => {
  model.script('Read', [call('read_file', { path: 'notes.txt' })], [text('Read.')]);
  await desk.openSession({ title: 'On the road' });
  await desk.ask('Read');
  const zones = { Chat: page.locator('#chat'), Files: page.locator('#left'), Logs: page.locator('#right') };
  for (const shown of ['Files', 'Logs', 'Chat'] as const) {
    await zoneTab(page, shown).tap();
    await expect(zoneTab(page, shown)).toHaveAttribute('aria-pressed', 'true');
    for (const [name, zone] of Object.entries(zones)) await expect(zone, `${name} while ${shown}`).toBeVisible({ visible: name === shown });
  }
  await expect(desk.composer).toBeInViewport();
});

test('nothing is wider than the screen', async ({ desk, page, model }) => {
  model.script('Wide', [call('read_file', { path: 'notes.txt' })], [text(WIDE)]);
  const tooWide = () =>
    page.locator('html, .sidebar, .centre, .scroller, .rail, .logs, .log-rows, .topbar, .composer').evaluateAll((elements) =>
      elements.filter((element) => element.scrollWidth > element.clientWidth).map((element) => element.className),
    );
  await desk.createSession({ title: 'A long title that needs more room than a phone has for it' });
  await desk.open('/');
  expect(await tooWide(), 'start page').toEqual([]);
  await desk.openSession({ title: 'Another long title that needs more room than a phone has for it' });
  await desk.ask('Wide');
  expect(await tooWide(), 'chat').toEqual([]);
  await desk.lastTurn.locator('.call summary').tap();
  expect(await tooWide(), 'opened call').toEqual([]);
  for (const tab of ['Files', 'Logs']) {
    await zoneTab(page, tab).tap();
    expect(await tooWide(), tab).toEqual([]);
  }
});

test('fingers find everything that can be used, in every zone and on every card', async ({ desk, page, model }) => {
  const long = Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n');
  model.script('Work', [thought('I look first.'), call('read_file', { path: 'notes.txt' }), call('write_file', { path: 'sum.md', content: long })], [
    text('Done, see [the rules](https://rules.example/):\n\n```\ncode\n```\n'),
  ]);
  model.script('Choose', [call('ask_user', { question: 'Which months?', question_type: 'multi_choice', options: ['January', 'March'] })], [gate('never')]);
  await desk.createSession({ title: 'Another one' });
  await desk.open('/');
  expect.soft(await tooSmall(page, 'body'), 'start page').toEqual([]);
  await desk.openSession({ title: 'On the road' });
  expect.soft(await tooSmall(page, 'body'), 'empty session').toEqual([]);
  await desk.say('Work');
  const card = await desk.waiting();
  await card.locator('.ask-change > summary').tap();
  expect.soft(await tooSmall(page, '.asks'), 'card that asks for a word').toEqual([]);
  await card.getByRole('button', { name: 'Allow once' }).tap();
  await desk.finished();
  await desk.lastTurn.locator('.call-line').first().tap();
  await desk.lastTurn.locator('.diff-more > summary').tap();
  await desk.lastTurn.locator('.thinking > summary').tap();
  expect.soft(await tooSmall(page, '.app'), 'conversation').toEqual([]);
  for (const menu of await page.locator('.topbar details.menu, .composer details.menu').all()) {
    await menu.locator('> summary').tap();
    expect.soft(await tooSmall(page, '.menu[open]'), 'menu').toEqual([]);
    await page.keyboard.press('Escape');
  }
  await desk.say('Choose');
  await desk.waiting();
  expect.soft(await tooSmall(page, '.asks'), 'question').toEqual([]);
  await desk.say('And more');
  await zoneTab(page, 'Files').tap();
  await page.locator('.row-more').first().tap();
  expect.soft(await tooSmall(page, '#left'), 'sessions and files').toEqual([]);
  await zoneTab(page, 'Logs').tap();
  expect.soft(await tooSmall(page, '#right'), 'logs').toEqual([]);
  await expect(page.locator('.log-copy').first(), 'nothing hovers here').toHaveCSS('opacity', '1');
  await page.getByRole('tab', { name: /Changes/ }).tap();
  await page.locator('.file-change > summary').first().tap();
  expect.soft(await tooSmall(page, '#right'), 'changes').toEqual([]);
});

test('a dot tells of news in a zone that is not shown', async ({ desk, page, model }) => {
  model.script('Read', [call('read_file', { path: 'notes.txt' })], [text('Read.')]);
  await desk.openSession();
  const logs = page.getByRole('button', { name: /^Logs/ });
  await expect(logs.locator('.unread')).toHaveCount(0);
  await desk.ask('Read');
  await expect(logs.locator('.unread')).toHaveCount(1);
  await logs.tap();
  await expect(logs.locator('.unread')).toHaveCount(0);
});

for (const width of [360, 390, 414]) {
  test(`at ${width} pixels Send stands at the right, also while a turn runs`, async ({ desk, page, model }) => {
    await page.setViewportSize({ width, height: 800 });
    model.script('Endless', [text('So far'), gate('never')]);
    await desk.openSession({ title: 'On the road' });
    const atTheRight = async () => {
      const [send, bar] = await Promise.all([page.locator('.send').boundingBox(), page.locator('.composer-bar').boundingBox()]);
      expect(Math.abs(send!.x + send!.width - bar!.x - bar!.width)).toBeLessThanOrEqual(1);
    };
    await atTheRight();
    await desk.say('Endless');
    await expect(desk.stop).toBeVisible();
    await desk.composer.fill('one more thing');
    await atTheRight();
  });
}

test('a step leads to its row in the logs, and the row back to the step', async ({ desk, page, model }) => {
  model.script('Read', [call('read_file', { path: 'notes.txt' })], [text('Read.')]);
  await desk.openSession();
  await desk.ask('Read');
  const step = desk.lastTurn.locator('.call');
  await step.locator('summary').first().tap();
  await step.getByRole('button', { name: 'Show in the logs' }).tap();
  await expect(page.locator('#right')).toBeVisible();
  const row = page.locator('.log-row[data-marked]');
  await expect(row).toBeInViewport();
  await row.getByRole('link').tap();
  await expect(page.locator('#chat')).toBeVisible();
  await expect(step).toBeInViewport();
});

test('whoever has scrolled up and says something is at the end again', async ({ desk, page, model }) => {
  model.script('Long', [text('line\n\n'.repeat(60))]);
  model.script('Short', [text('Done.')]);
  await desk.openSession();
  await desk.ask('Long');
  const scroller = page.locator('.scroller');
  await scroller.evaluate((element) => (element.scrollTop = 0));
  await expect(page.locator('.to-end .button')).toBeVisible();
  await desk.ask('Short');
  await expect(desk.lastTurn.getByText('Done.')).toBeInViewport();
  await expect(page.locator('.to-end .button')).toHaveCount(0);
});
