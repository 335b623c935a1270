// Two people at one session: who is there, who types, whose words they are, and what ends when it is taken back.
import type { Desk } from './support/desk';
import { call, text } from './support/model';
import { expect, test } from './support/test';

async function share(desk: Desk, home: string, id: string, name: string, part: string): Promise<void> {
  await desk.page.goto(`${home}/sessions/${id}/sharing`);
  await desk.page.getByLabel('With').fill(name);
  await desk.page.getByLabel('Who').selectOption(part);
  await desk.page.getByRole('button', { name: 'Share' }).click();
  await expect(desk.page.getByRole('listitem')).toContainText(name);
}

test('two people see each other, and whose words are whose', async ({ model, person, server, watch }) => {
  // The page of one who has not signed in yet is answered so.
  watch.allow(/401/);
  model.script('Read it', [text('Read.')]);
  const [anna, ben] = [await person('anna'), await person('ben')];
  const id = await anna.createSession({ title: 'The close' });
  await share(anna, server.home, id, 'ben', 'take_part');

  await anna.open(`/sessions/${id}`);
  await anna.live();
  await expect(anna.page.locator('.people')).toHaveCount(0);
  await ben.open(`/sessions/${id}`);
  await ben.live();
  await expect(ben.page.locator('.people')).toHaveText('anna is here');
  await expect(anna.page.locator('.people')).toHaveText('ben is here');

  // It passes by itself: the page is watched from before the first key.
  const typing = anna.page.waitForFunction(() => document.querySelector('.people')?.textContent === 'ben is typing');
  await ben.composer.pressSequentially('Read');
  await typing;
  await ben.ask('Read it');
  await expect(anna.lastTurn.locator('.bubble')).toHaveText('Read it');
  await expect(anna.lastTurn).toContainText('ben');
  await expect(anna.page.locator('.log-row[data-type="user_message_received"] .log-text')).toHaveText('ben asked');
  await expect(ben.page.locator('.log-row[data-type="user_message_received"] .log-text')).toHaveText('You asked');
  await expect(anna.page.locator('.people')).toHaveText('ben is here');

  await ben.page.close();
  await expect(anna.page.locator('.people')).toHaveCount(0);
});

test('who may watch has nothing to write with, and what is taken back is gone at once', async ({ model, person, server, watch }) => {
  // Before a session is shared, and after, there is nothing for them.
  watch.allow(/401|404|WebSocket connection .* failed/);
  const [anna, ben] = [await person('anna'), await person('ben')];
  const id = await anna.createSession({ title: 'The close' });
  model.script('Write it', [call('write_file', { path: 'sum.md', content: 'x' })]);
  await anna.open(`/sessions/${id}`);
  await anna.live();
  await anna.say('Write it');
  await expect((await anna.waiting()).getByRole('button', { name: 'Allow once' })).toBeVisible();
  await ben.page.goto(`${server.home}/sessions/${id}`);
  await expect(ben.page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();

  await share(anna, server.home, id, 'ben', 'watch');
  await ben.open(`/sessions/${id}`);
  await ben.live();
  await expect(ben.page.getByText('You may watch this session')).toBeVisible();
  await expect(ben.composer).toHaveCount(0);
  await expect(ben.page.locator('.asks')).toContainText('May I write');
  await expect(ben.page.getByRole('button', { name: /Allow|Deny|Undo/ })).toHaveCount(0);
  await expect(ben.page.locator('.drop-zone')).toBeHidden();

  await anna.page.getByRole('button', { name: 'Take back' }).click();
  await expect(ben.page.getByRole('status').filter({ hasText: 'no longer shared with you' })).toBeVisible();
});
