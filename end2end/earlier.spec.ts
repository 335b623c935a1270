// A long session opens with its newest turns; older ones come when the reader goes there, and nothing moves for it.
import type { Desk } from './support/desk';
import { text } from './support/model';
import { expect, test } from './support/test';

/** More than two windows of turns. */
const TURNS = 150;
/** Messages that wait at once while the session is filled. */
const BATCH = 15;

async function longSession(desk: Desk): Promise<string> {
  const id = await desk.createSession({ title: 'A long one' });
  for (let sent = 0; sent < TURNS; ) {
    for (let batch = 0; batch < BATCH; batch += 1) await desk.send(id, `Note number ${(sent += 1)}.`);
    const done = async () => (await desk.session(id)).status === 'idle' && (await desk.session(id)).turn_count;
    await expect.poll(done, { intervals: [50] }).toBe(sent);
  }
  return id;
}

test('older turns come when they are wanted, all of them and each once', async ({ desk, page, model }) => {
  model.script('Note', [text('Noted.')]);
  const id = await longSession(desk);
  await desk.open(`/sessions/${id}`);
  await expect(desk.lastTurn.locator('.bubble')).toHaveText(`Note number ${TURNS}.`);
  const shown = await desk.turns.count();
  expect(shown, 'it opens with a window').toBeLessThan(TURNS);
  const bubbles = page.locator('.turn .bubble');

  if (!desk.scripts) {
    await page.getByRole('link', { name: 'Earlier messages' }).click();
    await expect(desk.turns).toHaveCount(TURNS);
    await expect(bubbles.first()).toHaveText('Note number 1.');
    await expect(page.getByRole('link', { name: 'Earlier messages' })).toHaveCount(0);
    return;
  }

  await desk.live();
  const scroller = page.locator('.scroller');
  /** Where the turn stands that is under the eye. */
  const eye = (turn: string) => page.locator(turn).evaluate((element) => Math.round(element.getBoundingClientRect().top));
  const first = `#${await desk.turns.first().getAttribute('id')}`;
  await scroller.hover();
  // Up to the first turn that is there: the older ones come before it while it is looked at.
  await page.route('**/earlier?*', async (route) => {
    await looked;
    await route.continue();
  });
  let look = () => {};
  const looked = new Promise<void>((resolve) => (look = resolve));
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, -4000);
      return scroller.evaluate((element) => element.scrollTop);
    })
    .toBe(0);
  await expect(page.locator('.earlier')).toHaveText('Loading earlier messages');
  const before = await eye(first);
  look();
  await expect.poll(() => desk.turns.count()).toBeGreaterThan(shown);
  await expect.poll(async () => Math.abs((await eye(first)) - before), 'the same line stays under the eye').toBeLessThanOrEqual(1);

  await expect
    .poll(async () => {
      await page.mouse.wheel(0, -4000);
      return desk.turns.count();
    })
    .toBe(TURNS);
  await expect(page.locator('.earlier')).toHaveCount(0);
  const numbers = Array.from({ length: TURNS }, (_, index) => `Note number ${index + 1}.`);
  expect(await bubbles.allTextContents()).toEqual(numbers);

  await page.locator('.to-end button').click();
  await expect(desk.lastTurn).toBeInViewport();
  await desk.ask('Note, too');
  await expect(desk.turns).toHaveCount(TURNS + 1);
});
