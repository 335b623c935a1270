// The connection breaks: the page says so, keeps what it has, and finds its way back alone.
import type { Locator, Route } from '@playwright/test';
import { gate, text } from './support/model';
import { expect, test } from './support/test';

/**
 * What the browser itself says of a server that is not there, also behind a proxy; and of one that is back when the page asks
 * without a socket why its socket failed.
 */
const REFUSED =
  /502|ERR_CONNECTION_REFUSED|WebSocket connection .* failed|ERR_SOCKET_NOT_CONNECTED|ERR_CONNECTION_RESET|answered 422: .*\/stream$|status of 422/;

test('a crash in the middle of a turn: the page waits, comes back and misses nothing', async ({ desk, model, server, watch }) => {
  watch.allow(REFUSED);
  model.script('Count', [text('one two three'), gate('never')]);
  model.script('Again', [text('all of it')]);
  await desk.openSession();
  await desk.say('Count');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('one two three');

  await server.end('SIGKILL');
  await expect(desk.link).toHaveText('Connection lost');
  await expect(desk.page.locator('.link-wait')).toHaveText(/^again in \d+ s$/);
  await expect(desk.page.locator('.link')).toHaveAttribute('data-link', 'lost');
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Count');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('one two three');
  await expect(desk.stop).toBeDisabled();

  await server.start();
  await desk.live();
  await expect(desk.page.locator('.log-divider')).toHaveText(/^reconnected, [1-9]\d* events? recovered$/);
  await expect(desk.turns).toHaveCount(1);
  await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  await expect(desk.lastTurn.locator('.notice')).toHaveText(/restart/i);
  await expect(desk.stop).toHaveCount(0);
  await expectNoDuplicates(desk.page.locator('.log-row'));

  await desk.ask('Again');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('all of it');
  const seqs = await expectNoDuplicates(desk.page.locator('.log-row'));
  // Model calls are hidden; everything else is there, in order.
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));

  const shown = await desk.page.locator('.turn').allInnerTexts();
  await desk.reload();
  await desk.live();
  expect(await desk.page.locator('.turn').allInnerTexts(), 'the page equals what the server has').toEqual(shown);
});

async function expectNoDuplicates(rows: Locator): Promise<number[]> {
  const seqs = await rows.evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.seq)));
  expect(new Set(seqs).size).toBe(seqs.length);
  return seqs;
}

test('whoever asks for it, and a network that is back, connects at once', async ({ desk, page, server, watch, context }) => {
  watch.allow(REFUSED);
  await desk.openSession();
  // From here on no time passes on the page: it does not come back by itself.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1_000);
  await server.end('SIGKILL');
  await expect(desk.link).toHaveText('Connection lost');
  await server.start();
  await page.getByRole('button', { name: 'Try now' }).click();
  await desk.live();
  await expect(page.getByRole('button', { name: 'Try now' })).toHaveCount(0);

  await server.end('SIGKILL');
  await expect(desk.link).toHaveText('Connection lost');
  await server.start();
  await context.setOffline(true);
  await context.setOffline(false);
  await desk.live();
});

test('a server that hangs is asked, and not called live without an answer', async ({ desk, page, server, watch }) => {
  watch.allow(REFUSED);
  await desk.openSession();
  server.hang();
  try {
    // As after a silence; the browser's own timers can't be hurried, since their numbers would not fit the page's.
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await expect(desk.link).toHaveText('Connection lost');
  } finally {
    server.goOn();
  }
  await desk.live();
});

test('after a crash one click goes on', async ({ desk, model, server, watch }) => {
  watch.allow(REFUSED);
  model.script('Count', [text('one two'), gate('never')]);
  model.script('go on where you stopped', [text('three four')]);
  await desk.openSession();
  await desk.say('Count');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('one two');
  await server.end('SIGKILL');
  await server.start();
  await desk.live();
  await desk.lastTurn.locator('.ending').getByRole('button', { name: 'Continue' }).click();
  await expect(desk.turns).toHaveCount(2);
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Please go on where you stopped.');
  await expect(desk.lastTurn.locator('.prose')).toHaveText('three four');
  await desk.finished();
  await expect(desk.lastTurn.locator('.ending')).toHaveCount(0);
  await expect(desk.turns.first().locator('.bubble')).toHaveText('Count');
  // Only the last turn can be gone on with.
  await expect(desk.turns.first().locator('.ending').getByRole('button')).toHaveCount(0);
});

test('a draft and a failed send are kept while the server is away', async ({ desk, model, server, watch }) => {
  watch.allow(REFUSED);
  model.script('Important', [text('Noted.')]);
  await desk.openSession();
  await server.end('SIGKILL');
  await expect(desk.link).toHaveText(/^Connection lost/);

  await desk.say('Important');
  await expect(desk.page.locator('.composer-area .notice-failed')).toHaveText(/did not answer/);
  await expect(desk.composer).toHaveValue('Important');

  await server.start();
  await desk.live();
  await desk.page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Noted.');
  await expect(desk.turns).toHaveCount(1);
  await expect(desk.page.locator('.composer-area .notice-failed')).toHaveCount(0);
});

test('what a proxy says for a server that is away is no answer: nothing is lost, and an upload goes on', async ({ desk, page, model, watch }) => {
  watch.expect(/answered 502/);
  watch.allow(/502 \(/);
  model.script('Important', [text('Noted.')]);
  await desk.openSession();
  const away = (route: Route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' });
  await page.route('**/messages', away);
  await desk.say('Important');
  await expect(page.locator('.composer-area .notice-failed')).toHaveText(/did not answer/);
  await expect(desk.composer).toHaveValue('Important');
  await page.unroute('**/messages');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Noted.');

  let pieces = 0;
  await page.route('**/uploads/tus/**', (route) => {
    const isFirstPiece = route.request().method() === 'PATCH' && pieces++ === 0;
    return isFirstPiece ? away(route) : route.continue();
  });
  const file = { name: 'film.bin', mimeType: '', buffer: Buffer.from('what the museum keeps') };
  await page.locator('.drop-zone input[type="file"]').first().setInputFiles(file);
  await expect(page.locator('.upload')).toContainText('added');
  expect(pieces).toBe(2);
});

test('a quiet restart: nothing was missed, and the page says that', async ({ desk, server, watch }) => {
  watch.allow(REFUSED);
  await desk.openSession();
  await server.end('SIGTERM');
  await expect(desk.link).toHaveText(/^Connection lost/);
  await server.start();
  await desk.live();
  await expect(desk.page.locator('.log-divider')).toHaveText('reconnected, nothing was missed');
});

test('the list of sessions stays when it can not be read again', async ({ desk, page, model, watch }) => {
  watch.expect(/failed: .*sessions\?|ERR_FAILED/);
  model.script('Go on', [text('Gone on.')]);
  await desk.createSession({ title: 'Another one' });
  await desk.openSession({ title: 'This one' });
  const failed = page.waitForEvent('requestfailed', (request) => request.url().includes('/cowork/sessions?'));
  await page.route('**/cowork/sessions?*', (route) => route.abort('failed'));
  // A turn's begin and end read the list again.
  await desk.ask('Go on');
  await failed;
  await expect(page.locator('.session-title')).toHaveText(['This one', 'Another one']);
});

test('a session that is deleted elsewhere says so in every tab, and can be brought back', async ({ desk, page, server, watch }) => {
  watch.expect(/404/);
  const id = await desk.openSession({ title: 'Minutes' });
  await page.request.delete(`${server.home}/cowork/sessions/${id}`, { headers: { origin: server.origin } });
  await expect(page.getByText('The session was deleted. Your files were not touched.')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 }), 'and there is something to do instead').toHaveText('New session');
  await page.locator('.notice').getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Minutes');
  expect(page.url()).toContain(id);

  await desk.open(`/?deleted=${'0'.repeat(32)}`);
  await expect(page.locator('.notice'), 'one that is gone for good').toContainText('not there any more');
  await expect(page.getByRole('button', { name: 'Undo' })).toHaveCount(0);
  await page.request.delete(`${server.home}/cowork/sessions/${id}`, { headers: { origin: server.origin } });
  await page.goto(`${server.home}/sessions/${id}`);
  await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
});

const NAMED = 'whom a proxy names is not signed out here';

test('who is signed out is told so once, and led back in', async ({ desk, page, context, reverseProxy, server, watch }) => {
  test.skip(reverseProxy !== undefined, NAMED);
  watch.allow(/401|WebSocket connection .* failed/);
  const id = await desk.openSession();
  let opened = 0;
  page.on('websocket', () => (opened += 1));
  server.newToken();
  await expect(desk.link).toHaveText('Signed out');
  const tries = opened;
  expect(tries, 'one look whether it was only the connection').toBeLessThanOrEqual(1);
  await page.waitForTimeout(2_500);
  expect(opened, 'and no more').toBe(tries);

  await server.signIn(context);
  await page.locator('.link').getByRole('link', { name: 'Sign in' }).click();
  await desk.alive();
  await desk.live();
  expect(page.url()).toBe(`${server.home}/sessions/${id}`);
});

test('signing out stands in the menu of the page', async ({ desk, page, reverseProxy, watch }) => {
  test.skip(reverseProxy !== undefined, NAMED);
  watch.allow(/401/);
  const id = await desk.openSession();
  await page.locator('summary[title="Look and language"]').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');
  await page.goto(`/sessions/${id}`);
  await expect(page.locator('.composer')).toHaveCount(0);
});
