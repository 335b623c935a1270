// Names, order and contrast: what keyboards, screen readers and tired eyes need.
import { contrasts } from './support/contrast';
import type { Desk } from './support/desk';
import { call, gate, text } from './support/model';
import type { ScriptedModel } from './support/model';
import { expect, test } from './support/test';

/** WCAG 2.2 AA for text of normal size. */
const LEAST_CONTRAST = 4.5;

const TEXTS = [
  '.brand', '.page-title', '.folder', '.link-text', '.group', '.session-title', '.session-row time', '.new-session', '.bubble',
  '.said-at time', '.prose p', '.prose h3', '.prose li', '.prose th', '.prose td', '.prose code', '.prose a', '.link-host', '.prose blockquote p',
  '.call-verb', '.call-object', '.call-summary', '.call-time', '.call-body h3', '.call-body pre', '.chip', '.rail-tab', '.log-row time',
  '.log-text', '.log-figure', '.logs-foot span', '.logs-foot a', '.notice', '.lead', '.folder-path', '.folder-list a', '.field', '.button:enabled', '.empty',
];

/** A session with a finished turn, one that failed in part, and one that was stopped. */
async function fullSession(desk: Desk, model: ScriptedModel): Promise<void> {
  model.script('Report', [call('read_file', { path: 'notes.txt' }), call('read_file', { path: 'missing' })], [
    text('# Result\n\nSee [the rules](https://rules.example/) and `code`.\n\n- one\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n> said'),
  ]);
  model.script('Endless', [text('So far'), gate('never')]);
  await desk.openSession({ title: 'A report' });
  await desk.ask('Report');
  await desk.say('Endless');
  await model.reached('never');
  await desk.stop.click();
  await desk.finished();
  await desk.reload();
  await desk.live();
}

test('everything that can be used has a name, and headings go down step by step', async ({ desk, page, model }) => {
  const check = async () => {
    for (const role of ['button', 'link', 'textbox', 'combobox', 'img'] as const) {
      const all = await page.getByRole(role, { includeHidden: false }).all();
      const named = await page.getByRole(role, { name: /\S/ }).all();
      expect(named.length, `${role}s with a name`).toBe(all.length);
    }
    const levels = await page.locator('h1, h2, h3, h4, h5, h6').evaluateAll((headings) =>
      headings.filter((heading) => heading.checkVisibility()).map((heading) => Number(heading.tagName[1])),
    );
    expect(levels.filter((level) => level === 1), 'one main heading').toHaveLength(1);
  };
  await desk.open('/');
  await check();
  await fullSession(desk, model);
  await check();
  await expect(page.getByRole('main')).toHaveCount(1);
  await expect(page.getByRole('banner')).toHaveCount(1);
  await expect(page.getByRole('navigation', { name: 'Sessions' })).toBeVisible();
  await expect(page.getByRole('complementary', { name: 'Logs, progress and changes' })).toBeVisible();
  await expect(page.getByRole('log', { name: 'Conversation' })).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`texts can be read in the ${colorScheme} scheme`, async ({ desk, page, model }) => {
    await page.emulateMedia({ colorScheme });
    const weak = async () => (await contrasts(page, TEXTS)).filter(({ ratio }) => ratio < LEAST_CONTRAST);
    await desk.open('/');
    expect(await weak()).toEqual([]);
    await desk.open('/?dir=/nowhere');
    expect(await weak()).toEqual([]);
    await fullSession(desk, model);
    await desk.page.locator('.call summary').first().click();
    expect(await weak()).toEqual([]);
    expect((await contrasts(page, TEXTS)).length, 'there was something to look at').toBeGreaterThan(40);
  });
}

test('the keyboard reaches everything in the order of the page, and shows where it is', async ({ desk, page, model }) => {
  await fullSession(desk, model);
  const names: string[] = [];
  const reached = new Set<string>();
  await page.locator('.brand').focus();
  for (let step = 0; step < 60 && !reached.has('Message'); step += 1) {
    await page.keyboard.press('Tab');
    const { name, ring } = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const border = (selector: string) => getComputedStyle(document.querySelector(selector)!).borderColor;
      // The message field has no ring of its own: the whole composer takes the accent.
      const ring = element.matches('.composer-text') ? border('.composer') !== border('.card') : getComputedStyle(element).outlineStyle !== 'none';
      return { name: element.getAttribute('aria-label') ?? element.textContent!.trim(), ring };
    });
    names.push(name);
    reached.add(name);
    expect(ring, `where the focus is can be seen at “${name}”`).toBe(true);
  }
  expect(names).toContain('New session');
  expect(names.indexOf('New session')).toBeLessThan(names.indexOf('Message'));
  await page.keyboard.type('typed without a mouse');
  await expect(desk.composer).toHaveValue('typed without a mouse');
  // Attach, mode, model and meter stand between.
  const send = page.getByRole('button', { name: 'Send', exact: true });
  const isSend = () => send.evaluate((element) => element === document.activeElement);
  for (let step = 0; step < 8 && !(await isSend()); step += 1) await page.keyboard.press('Tab');
  await expect(send).toBeFocused();
});
