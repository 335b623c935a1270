// Two people at one session: who is there, who types, whose words they are, and what ends when it is taken back.
import type { Page } from '@playwright/test';
import { text } from './support/model';
import { expect, test } from './support/test';
import { Desk } from './support/desk';

const PASSWORD = 'a horse of another colour';

async function signIn(page: Page, home: string, name: string): Promise<void> {
  await page.goto(home);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
}

test('two people see each other, and whose words are whose', async ({ browser, desk, model, server, watch, workspace }) => {
  // The page of one who is not signed in is answered so, and a session that is shared no longer is not there.
  watch.allow(/401|404/);
  model.script('Read it', [text('Read.')]);
  server.addPerson('anna', PASSWORD);
  const context = await browser.newContext();
  watch.attach(context);
  const anna = new Desk(await context.newPage(), server, workspace, true);
  await signIn(anna.page, server.home, 'anna');
  const id = await anna.createSession({ title: 'The close' });

  // Whoever runs the server sees it; anna sees them come.
  await anna.open(`/sessions/${id}`);
  await anna.live();
  await expect(anna.page.locator('.people')).toHaveCount(0);
  await desk.open(`/sessions/${id}`);
  await desk.live();
  await expect(desk.page.locator('.people')).toHaveText('anna is here');
  await expect(anna.page.locator('.people')).toHaveText('local is here');

  await anna.composer.pressSequentially('Read');
  await expect(desk.page.locator('.people')).toHaveText('anna is typing');
  await anna.ask('Read it');
  await expect(desk.lastTurn.locator('.bubble')).toHaveText('Read it');
  await expect(desk.lastTurn).toContainText('anna');
  await expect(desk.page.locator('.people')).toHaveText('anna is here');

  await anna.page.close();
  await expect(desk.page.locator('.people')).toHaveCount(0);
  await context.close();
});

test('what is shared can be seen, and what is taken back is gone at once', async ({ browser, server, watch, workspace }) => {
  watch.allow(/401|404|WebSocket connection .* failed/);
  for (const name of ['anna', 'ben']) server.addPerson(name, PASSWORD);
  const contexts = await Promise.all([browser.newContext(), browser.newContext()]);
  const [anna, ben] = await Promise.all(
    contexts.map(async (context) => {
      watch.attach(context);
      return new Desk(await context.newPage(), server, workspace, true);
    }),
  );
  await signIn(anna.page, server.home, 'anna');
  await signIn(ben.page, server.home, 'ben');
  const id = await anna.createSession({ title: 'The close' });

  await ben.page.goto(`${server.home}/sessions/${id}`);
  await expect(ben.page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();

  await anna.page.goto(`${server.home}/sessions/${id}/sharing`);
  await anna.page.getByLabel('With').fill('ben');
  await anna.page.getByRole('button', { name: 'Share' }).click();
  await expect(anna.page.getByRole('listitem')).toHaveText(/^ben may watch/);

  await ben.open(`/sessions/${id}`);
  await ben.live();
  await expect(ben.composer).toHaveCount(0);
  await anna.page.getByRole('button', { name: 'Take back' }).click();
  await expect(ben.link).toHaveText('Reload the page');
  for (const context of contexts) await context.close();
});
