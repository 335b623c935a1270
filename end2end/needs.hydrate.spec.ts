// The main job for who has no mouse, needs large letters, or gets dizzy.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { call, gate, text } from './support/model';
import { expect, test } from './support/test';

const WRITE = call('write_file', { path: 'sum.md', content: '1200.00\n' });

/** Presses Tab until the focus is on what has this name. */
async function tabTo(page: Page, name: string): Promise<void> {
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement!;
      return (element.getAttribute('aria-label') ?? element.textContent ?? '').trim();
    });
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press('Tab');
    if ((await focused()) === name) return;
  }
  throw new Error(`Tab never came to “${name}”`);
}

test('from the start to a change that was allowed, by the keyboard alone', async ({ desk, page, model, workspace }) => {
  model.script('Write the sum', [WRITE], [text('The sum is written.')]);
  await desk.open('/');
  await tabTo(page, 'q1-close');
  await page.keyboard.press('Enter');
  await expect(page.locator('.folder-path')).toHaveText(/q1-close$/);
  await desk.alive();
  await tabTo(page, 'Start in this folder');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sessions/*');
  await desk.alive();
  await desk.live();
  await page.keyboard.press('Alt+c');
  await page.keyboard.type('Write the sum');
  await page.keyboard.press('Enter');
  await desk.waiting();
  await page.locator('.topbar .brand').focus();
  await tabTo(page, 'Allow once');
  await page.keyboard.press('Enter');
  await desk.finished();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('The sum is written.');
  expect(readFileSync(join(workspace.folder, 'sum.md'), 'utf8')).toBe('1200.00\n');
});

test.describe('at 200 %', () => {
  // What a window of 1280 by 720 pixels has room for then.
  test.use({ viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 });

  test('everything can be read and used without scrolling sideways', async ({ desk, page, model }) => {
    model.script('Write the sum', [WRITE], [text('The sum is written.')]);
    await desk.open('/');
    const sideways = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(await sideways(), 'start').toBe(false);
    await desk.openSession({ title: 'A report with a title that is rather long' });
    await desk.say('Write the sum');
    await (await desk.waiting()).getByRole('button', { name: 'Allow once' }).click();
    await desk.finished();
    expect(await sideways(), 'session').toBe(false);
    await expect(desk.composer).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeInViewport({ ratio: 1 });
  });
});

test('nothing moves for who wants no motion', async ({ desk, page, model }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  model.script('Endless', [call('read_file', { path: 'notes.txt' })], [text('So far'), gate('never')]);
  await desk.openSession();
  await desk.say('Endless');
  await model.reached('never');
  await page.getByRole('button', { name: 'Hide logs, progress and changes' }).click();
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .filter((animation) => Number(animation.effect!.getComputedTiming().duration) > 1)
      .map((animation) => ((animation.effect as KeyframeEffect).target as Element).className),
  );
  expect(moving).toEqual([]);
});

test('who looks elsewhere is told, once they have asked for it', async ({ desk, page, model }) => {
  await page.addInitScript(() => {
    const told: string[] = [];
    class Told {
      static permission = 'default';
      static requestPermission() {
        Told.permission = 'granted';
        return Promise.resolve('granted');
      }
      constructor(title: string, options: { body: string }) {
        told.push(`${title}: ${options.body}`);
      }
    }
    Object.assign(window, { Notification: Told, told });
  });
  const told = () => page.evaluate(() => (window as unknown as { told: string[] }).told);
  const look = (state: string) => page.evaluate((state) => Object.defineProperty(document, 'visibilityState', { value: state, configurable: true }), state);
  model.script('First', [text('One.')]);
  model.script('Second', [text('Two.')]);
  await desk.openSession({ title: 'Report' });
  await page.locator('.session-menu summary').click();
  await page.getByRole('button', { name: 'Tell me when it is done or waits' }).click();
  await expect(page.getByRole('button', { name: 'Tell me when it is done or waits' })).toHaveCount(0);
  await desk.ask('First');
  expect(await told(), 'who is here sees it').toEqual([]);
  await look('hidden');
  await desk.ask('Second');
  await expect.poll(told).toEqual(['Report: The turn is over.']);
});
