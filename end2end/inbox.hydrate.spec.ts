// What waits for a person in any session, seen from wherever they are.
import type { Page } from '@playwright/test';
import { call, text } from './support/model';
import { expect, test } from './support/test';

/** The page looks around every 15 s; a test need not wait so long. Shorter waits stay what they are. */
async function hurry(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const wait = window.setTimeout.bind(window);
    const hurried = (act: TimerHandler, ms = 0, ...rest: unknown[]) => wait(act, ms >= 10_000 ? 250 : ms, ...rest);
    Object.assign(window, { setTimeout: hurried });
  });
}

const look = (page: Page, state: string) =>
  page.evaluate((state) => Object.defineProperty(document, 'visibilityState', { value: state, configurable: true }), state);

test('what waits in other sessions stands in the title and on the start page, until it is answered', async ({ desk, page, model }) => {
  await hurry(page);
  model.script('Write', [call('write_file', { path: 'sum.md', content: '1\n' })], [text('Then not.')]);
  model.script('Ask', [call('ask_user', { question: 'Which title?' })], [text('Thank you.')]);
  const [first, second] = [await desk.createSession({ title: 'March close' }), await desk.createSession({ title: 'Travel policy' })];
  await desk.openSession({ title: 'Quiet' });
  await expect(page).toHaveTitle('Quiet · Cowork');

  await desk.send(first, 'Write it');
  await expect(page).toHaveTitle('(1) Quiet · Cowork');
  const waiting = page.locator('#sessions section').filter({ has: page.getByRole('heading', { name: 'Waiting for you' }) });
  await expect(waiting.locator('.session-title')).toHaveText(['March close']);

  // Nobody looks: the title, which can be seen all the same, goes on telling.
  await look(page, 'hidden');
  await desk.send(second, 'Ask me');
  await expect(page).toHaveTitle('(2) Quiet · Cowork');
  await look(page, 'visible');
  await expect(waiting.locator('.session-title')).toHaveText(['Travel policy', 'March close']);

  await desk.open('/');
  await expect(page).toHaveTitle('(2) Cowork');
  const inbox = page.locator('.inbox');
  await expect(inbox.getByRole('heading')).toHaveText('2 sessions wait for you');
  await inbox.getByRole('link', { name: 'March close' }).click();
  await desk.alive();
  await desk.live();
  await desk.asks.getByRole('button', { name: 'Deny' }).click();
  await desk.finished();
  await expect(page).toHaveTitle('(1) March close · Cowork');

  await desk.open('/');
  await expect(inbox.getByRole('heading')).toHaveText('1 session waits for you');
  await expect(inbox.getByRole('link')).toHaveText(['Travel policy']);
  // It is answered elsewhere, and the start page hears of it.
  const other = await desk.newTab();
  await other.open(`/sessions/${second}`);
  await other.live();
  await other.asks.getByRole('textbox').fill('First quarter');
  await other.asks.getByRole('button', { name: 'Answer' }).click();
  await other.finished();
  await other.page.close();
  await expect(inbox).toHaveCount(0);
  await expect(page).toHaveTitle('Cowork');
});
