// Limits that an operator has set, as whoever reaches one reads of them.
import { gate, text } from './support/model';
import { expect, test } from './support/test';

test.describe('one live connection', () => {
  test.use({ settings: '[cowork.limits]\nsockets_per_person = 1\n' });

  test('the second tab says why it stands still, and goes on when the first is closed', async ({ desk, page, watch }) => {
    watch.expect(/429/);
    watch.allow(/WebSocket connection/);
    const id = await desk.openSession();
    const other = await desk.newTab();
    await other.open(`/sessions/${id}`);
    const notice = other.page.locator('.composer-area .notice-failed');
    await expect(notice).toHaveText(/You have as many live connections as one person may have here/);
    await page.close();
    await other.live();
    await expect(notice).toHaveCount(0);
  });
});

test.describe('one turn at a time', () => {
  test.use({ settings: '[cowork.limits]\nrunning_turns_per_person = 1\n' });

  test('the second session keeps what was typed and says what helps', async ({ desk, model, watch, page }) => {
    watch.expect(/429/);
    model.script('First', [text('Half'), gate('half'), text(' and half.')]);
    model.script('Second', [text('Now.')]);
    await desk.openSession();
    await desk.say('First');
    await expect(desk.lastTurn.locator('.prose').last()).toHaveText('Half');
    const other = await desk.newTab();
    const id = await other.createSession();
    await other.open(`/sessions/${id}`);
    await other.live();
    await other.say('Second');
    await expect(other.page.locator('.composer-area .notice-failed')).toHaveText(/As many of your sessions work as may at one moment/);
    await expect(other.composer).toHaveValue('Second');
    model.open('half');
    await desk.finished();
    await expect(page.locator('.turn[data-running]')).toHaveCount(0);
    await other.page.getByRole('button', { name: 'Send', exact: true }).click();
    await expect(other.lastTurn.locator('.prose').last()).toHaveText('Now.');
  });
});
