// Everything that matters works with scripts off: pages, forms, and a frame that refreshes itself.
import { gate, text } from './support/model';
import { expect, test } from './support/test';

test('a running turn is shown in a frame that refreshes itself, and the draft outside stays', { tag: '@phone' }, async ({ desk, page, model }) => {
  model.script('Write', [text('The beginning'), gate('more'), text(' and the end.'), gate('end')]);
  await desk.openSession();
  await desk.say('Write');

  const frame = page.frameLocator('iframe.plain-progress');
  await expect(page.locator('iframe.plain-progress')).toBeVisible();
  await expect(frame.locator('.prose')).toHaveText('The beginning');
  await expect(frame.getByText('Working')).toBeVisible();
  await expect(page.locator('.turn[data-running]'), 'it is shown once').toBeHidden();
  await desk.composer.fill('my next question');

  model.open('more');
  await expect(frame.locator('.prose')).toHaveText('The beginning and the end.');
  model.open('end');
  await expect(frame.getByRole('link', { name: 'Finished. Show the conversation' })).toBeVisible();
  await expect(desk.composer).toHaveValue('my next question');

  await frame.getByRole('link', { name: 'Finished. Show the conversation' }).click();
  await expect(page.locator('iframe.plain-progress')).toHaveCount(0);
  await expect(desk.lastTurn.locator('.prose')).toHaveText('The beginning and the end.');
});

test('Stop is a form', async ({ desk, model }) => {
  model.script('Write', [text('So far'), gate('never')]);
  await desk.openSession();
  await desk.say('Write');
  await expect(desk.page.frameLocator('iframe.plain-progress').locator('.prose')).toHaveText('So far');
  await desk.stop.click();
  await desk.showFinished();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('So far');
  await expect(desk.lastTurn.locator('.notice')).toHaveText(/stopped/i);
  await expect(desk.stop).toHaveCount(0);
});

test('a message waits for the turn that runs, and can be sent on after a stop', async ({ desk, model }) => {
  model.script('First', [gate('never')]);
  model.script('Second', [text('Answer two')]);
  await desk.openSession();
  await desk.say('First');
  await model.reached('never');
  await desk.say('Second');
  await expect(desk.page.locator('.queued .bubble')).toHaveText('Second');
  await desk.stop.click();
  await desk.showFinished();
  await desk.page.getByRole('button', { name: 'Send now' }).click();
  await desk.showFinished();
  await expect(desk.lastTurn.locator('.prose')).toHaveText('Answer two');
});

test('rename and archive', async ({ desk, page }) => {
  const id = await desk.openSession({ title: 'Before' });
  await page.locator('.session-menu summary').click();
  await page.getByRole('textbox', { name: 'Title' }).fill('After');
  await page.getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('After');
  expect(desk.sessionId()).toBe(id);
  await expect(page.locator('.sidebar').getByRole('link', { name: /After/ })).toBeVisible();

  await page.locator('.session-menu summary').click();
  await page.getByRole('button', { name: 'Archive' }).click();
  await page.locator('.session-menu summary').click();
  await expect(page.getByRole('button', { name: 'Bring back from the archive' })).toBeVisible();
  expect(await desk.session(id)).toMatchObject({ archived: true, title: 'After' });
  await expect(page.locator('.sidebar').getByRole('link', { name: /After/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Bring back from the archive' }).click();
  await expect(page.locator('.sidebar').getByRole('link', { name: /After/ })).toBeVisible();
});

test('delete, and undo', { tag: '@phone' }, async ({ desk, page, model, server }) => {
  model.script('Keep', [text('This is kept.')]);
  const id = await desk.openSession({ title: 'Precious' });
  await desk.ask('Keep');
  await page.locator('.session-menu summary').click();
  await page.getByRole('button', { name: 'Delete session' }).click();

  await expect(page.getByText('The session was deleted. Your files were not touched.')).toBeVisible();
  await expect(page.locator('.sidebar').getByRole('link', { name: /Precious/ })).toHaveCount(0);
  const gone = await page.request.get(`${server.home}/sessions/${id}`);
  expect(gone.status()).toBe(404);

  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page).toHaveURL(new RegExp(`/sessions/${id}$`));
  await expect(desk.lastTurn.locator('.prose')).toHaveText('This is kept.');
});

test('what is wrong is said on the page', async ({ desk, page }) => {
  await desk.openSession();
  await desk.say('   ');
  await expect(page.locator('.chat > .notice-failed')).toHaveText(/empty/i);
  await expect(desk.turns).toHaveCount(0);

  await desk.open('/?dir=/nowhere/at/all');
  await expect(page.locator('.notice-failed')).toBeVisible();
  await page.getByRole('link', { name: 'Back to the folders you can choose' }).click();
  await expect(page.getByRole('link', { name: 'q1-close' })).toBeVisible();
});
