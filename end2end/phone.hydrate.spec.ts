// A phone: one zone at a time, chosen by tabs, and nothing wider than the screen.
import type { Page } from '@playwright/test';
import { call, gate, text } from './support/model';
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

test('nothing is wider than the screen, and fingers find the buttons', async ({ desk, page, model }) => {
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
  await zoneTab(page, 'Chat').tap();
  for (const button of await page.getByRole('button').all()) {
    const box = (await button.boundingBox())!;
    // WCAG 2.2 AA asks for 24; ours are made for thumbs.
    expect(box.height, `height of ${await button.innerText()}`).toBeGreaterThanOrEqual(36);
    expect(box.width, `width of ${await button.innerText()}`).toBeGreaterThanOrEqual(36);
  }
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
