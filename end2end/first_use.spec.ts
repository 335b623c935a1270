// From the start to the first answer, in the page that lives and in the one without scripts.
import { expect, test } from './support/test';

test('a folder, a session, a question, an answer with its source', async ({ page, desk }) => {
  await desk.open('/');
  await expect(page).toHaveTitle('Cowork');
  await expect(page.getByText('No sessions yet.')).toBeVisible();

  await page.getByRole('link', { name: 'q1-close' }).click();
  await expect(page.locator('.folder-path')).toHaveText(/\/shared\/q1-close$/);
  await page.getByRole('link', { name: 'Up' }).click();
  await expect(page.locator('.folder-path')).toHaveText(/\/shared$/);
  await page.getByRole('link', { name: 'q1-close' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('March close');
  await page.getByRole('combobox', { name: 'Model' }).selectOption('built_in');
  await page.getByRole('button', { name: 'Start in this folder' }).click();

  await expect(page).toHaveURL(/\/sessions\/[0-9a-f]{32}$/);
  await desk.alive();
  await desk.live();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('March close');
  await expect(page.getByRole('heading', { name: 'Ready to work' })).toBeVisible();
  await expect(desk.logs('session_started')).toHaveText(/Session started with built_in/);

  await desk.ask('which files mention ACME?');

  await expect(desk.lastTurn.locator('.bubble')).toHaveText('which files mention ACME?');
  const call = desk.lastTurn.locator('.call').first();
  await expect(call).toHaveAttribute('data-state', 'done');
  await expect(call.locator('.call-verb')).toHaveText('Searched for');
  await expect(call.locator('.call-object')).toContainText('ACME');
  const answer = desk.lastTurn.locator('.prose').last();
  for (const file of ['notes.txt', 'ledger-march.csv', 'acme-0231.txt']) await expect(answer).toContainText(file);
  await expect(answer).not.toContainText('globex-0232.txt');

  for (const type of ['user_message_received', 'turn_started', 'tool_call_started', 'tool_call_completed', 'turn_completed']) {
    await expect(desk.logs(type).first(), type).toBeVisible();
  }
  await expect(page.locator('.sidebar').getByRole('link', { name: /March close/ })).toHaveAttribute('aria-current', 'page');
});

test('at the top of what may be used there is no way up', async ({ page, desk }) => {
  await desk.open('/');
  await expect(page.locator('.folder-path')).toHaveText(/\/shared$/);
  await expect(page.getByRole('link', { name: 'Up' })).toHaveCount(0);
});

test('an address with nothing at it says so and leads back', async ({ page, desk, watch }) => {
  watch.expect(/404/);
  for (const path of ['/nowhere', `/sessions/${'0'.repeat(32)}`]) {
    await desk.open(path);
    await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
    await expect(page).toHaveTitle('Not found · Cowork');
  }
  await page.getByRole('link', { name: 'To your sessions' }).click();
  await expect(page.getByRole('heading', { name: 'New session' })).toBeVisible();
});
