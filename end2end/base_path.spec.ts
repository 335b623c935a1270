// The page below a path of its own: from the start to an answer, with everything that it asks for on the way.
import { call, text } from './support/model';
import { expect, test } from './support/test';

const BASE = '/office/cowork';
test.use({ basePath: BASE });

test('a session is made, worked in, found again and left', async ({ page, desk, model, server }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  model.script('Write it', [call('write_file', { path: 'sum.md', content: '1200.00\n' })], [text('It is written.')]);

  await desk.open('/');
  await page.getByRole('link', { name: 'q1-close' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Below a path');
  await page.getByRole('button', { name: 'Start in this folder' }).click();
  await expect(page).toHaveURL(new RegExp(`${BASE}/sessions/[0-9a-f]{32}$`));
  await desk.alive();
  await desk.live();

  await desk.say('Write it');
  await desk.waiting();
  await desk.asks.getByRole('button', { name: 'Allow once' }).click();
  await desk.finished();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('It is written.');
  await desk.reload();
  await expect(desk.lastTurn.locator('.prose').last()).toHaveText('It is written.');

  await page.getByRole('link', { name: 'Cowork, all sessions' }).click();
  await expect(page).toHaveURL(`${server.home}/`);
  await desk.alive();
  await page.locator('.sidebar').getByRole('link', { name: /Below a path/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Below a path');

  const look = await page.context().cookies();
  expect(look.every((cookie) => cookie.path === BASE), JSON.stringify(look)).toBe(true);
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((url) => !url.startsWith('data:') && !new URL(url).pathname.startsWith(BASE))).toEqual([]);
});

test('a file goes up and is there', async ({ page, desk, workspace }) => {
  await desk.openSession();
  const file = { name: 'new.txt', mimeType: 'text/plain', buffer: Buffer.from('new') };
  await page.locator('.drop-zone input[type="file"]').first().setInputFiles(file);
  if (!desk.scripts) await page.locator('.drop-zone').getByRole('button', { name: 'Upload' }).click();
  await expect(page.locator('.files').getByText('new.txt')).toBeVisible();
  expect(workspace.exists('new.txt')).toBe(true);
});
