// From the start to the first answer, in the page that lives and in the one without scripts.
import { chmodSync } from 'node:fs';
import { text } from './support/model';
import { expect, test } from './support/test';

test('a folder, a session, a question, an answer with its source', { tag: '@phone' }, async ({ page, desk }) => {
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

  await desk.show('Logs');
  for (const type of ['user_message_received', 'turn_started', 'tool_call_started', 'tool_call_completed', 'turn_completed']) {
    await expect(desk.logs(type).first(), type).toBeVisible();
  }
  await desk.show('Files');
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

test('a model that does not answer is named before work begins, with what to do', async ({ page, desk, model }) => {
  test.skip(!desk.scripts, 'the page asks the model when it is alive');
  await desk.open('/');
  const check = page.locator('.check', { hasText: 'scripted' });
  await expect(check).toHaveText('in order The model scripted answers.', { useInnerText: true });
  await model.stop();
  await desk.reload();
  await expect(check).toHaveAttribute('data-ok', 'false');
  await expect(check).toContainText("The model scripted can't be reached");
  await expect(check, 'where it was looked for').toContainText(new URL(model.baseUrl).host);
  await expect(check, 'what to do').toContainText(/start|check|loom\.toml/i);
});

test('a folder that can be read but not written says so before work begins', async ({ page, desk, workspace }) => {
  test.skip(process.getuid?.() === 0, 'root may write everywhere');
  await desk.open('/');
  await page.getByRole('link', { name: 'q1-close' }).click();
  await desk.alive();
  const check = page.locator('.check', { hasText: 'Files in this folder' });
  await expect(check).toHaveAttribute('data-ok', 'true');
  chmodSync(workspace.folder, 0o555);
  try {
    await desk.reload();
    await expect(check).toHaveAttribute('data-ok', 'false');
    await expect(check).toContainText('Give the account that runs Cowork the right to write, or choose another folder.');
    await expect(page.getByRole('button', { name: 'Start in this folder' }), 'reading is work, too').toBeEnabled();
  } finally {
    chmodSync(workspace.folder, 0o755);
  }
});

test('an empty session offers tasks with its own files, and each is one click from being said', { tag: '@phone' }, async ({ page, desk, model }) => {
  model.script('ledger-march.csv', [text('Three payments.')]);
  await desk.openSession();
  const tasks = page.locator('.examples').getByRole('button');
  await expect(tasks).toHaveText([/ledger-march\.csv/, /notes\.txt/, /invoices/]);
  const task = (await tasks.first().textContent())!;
  await tasks.first().click();
  await expect(desk.composer).toHaveValue(task);
  if (desk.scripts) await expect(desk.composer).toBeFocused();
  await expect(desk.turns, 'nothing is said yet').toHaveCount(0);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await desk.showFinished();
  await expect(desk.lastTurn.locator('.bubble')).toHaveText(task);
  await expect(tasks).toHaveCount(0);
});

test('what an address puts into the composer is text, and is not sent', async ({ page, desk }) => {
  const id = await desk.createSession();
  const told = `</textarea><img src=x> & "so"`;
  await desk.open(`/sessions/${id}?message=${encodeURIComponent(told)}`);
  await expect(desk.composer).toHaveValue(told);
  await expect(page.locator('.composer img')).toHaveCount(0);
  expect((await desk.session(id)).turn_count).toBe(0);
});
