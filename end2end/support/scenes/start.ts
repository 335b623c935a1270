// The pages beside a session, and the list of sessions.
import { expect } from '@playwright/test';
import { text } from '../model';
import { ALSO_DARK, DESK, menuOf, TITLE, titled, USUAL, WRITE, type Scenes, type Stage } from './common';

async function rowMenu({ desk, page }: Stage, title: string): Promise<void> {
  await titled(desk);
  await desk.openSession({ title: 'Travel policy' });
  await desk.show('Files');
  await page.locator('#sessions').getByRole('button', { name: `Session menu: ${title}` }).click();
}

export const START: Scenes = {
  'sign-in': {
    looks: ALSO_DARK,
    show: async ({ page, server, watch }) => {
      watch.allow(/401/);
      await server.addPerson('anna', 'a horse of another colour');
      await page.context().clearCookies();
      await page.goto(server.home);
      await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    },
  },
  'first-run-failed': {
    looks: USUAL,
    show: async ({ desk, page, model }) => {
      await model.stop();
      await desk.open('/');
      await expect(page.locator('.check[data-ok="false"]')).toHaveCount(1);
    },
  },
  'bad-folder': { looks: USUAL, show: async ({ desk }) => desk.open('/?dir=/nowhere') },
  'not-found': {
    looks: USUAL,
    show: async ({ desk, watch }) => {
      watch.expect(/404/);
      await desk.open('/nowhere');
    },
  },
  home: {
    looks: ['light', 'dark', 'phone', 'german', 'plain'],
    show: async ({ desk, page }) => {
      await titled(desk);
      await desk.open('/');
      if (desk.scripts) await expect(page.locator('.check[data-ok="true"]')).toHaveCount(2);
    },
  },
  inbox: {
    looks: USUAL,
    show: async ({ desk, page, model }) => {
      model.script('Write', [WRITE], [text('Good.')]);
      await titled(desk);
      for (const title of ['Travel policy', 'Price list']) {
        const id = await desk.createSession({ title });
        await desk.send(id, 'Write a summary.');
        await expect.poll(async () => (await desk.session(id)).status).toBe('awaiting_approval');
      }
      await desk.open('/');
      await expect(page.locator('.inbox')).toBeVisible();
    },
  },
  deleted: {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await titled(desk);
      await desk.openSession({ title: 'Travel policy' });
      await menuOf(page, 'Session menu').click();
      await page.getByRole('button', { name: 'Delete session' }).click();
      await desk.alive();
      await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
    },
  },
  sharing: {
    looks: ALSO_DARK,
    show: async ({ desk, page, server }) => {
      const id = await desk.createSession({ title: TITLE });
      await page.goto(`${server.home}/sessions/${id}/sharing`);
    },
  },
  'search-hit': {
    looks: DESK,
    show: async ({ desk, page }) => {
      await titled(desk);
      await desk.openSession({ title: 'Travel policy' });
      await page.locator('#sessions').getByRole('searchbox').fill('budget');
      await expect(page.locator('#sessions .session-title')).toHaveText(['Budget questions']);
    },
  },
  'search-none': {
    looks: DESK,
    show: async ({ desk, page }) => {
      await titled(desk);
      await desk.openSession({ title: 'Travel policy' });
      await page.locator('#sessions').getByRole('searchbox').fill('harbour');
      await expect(page.getByText('Nothing found for')).toBeVisible();
    },
  },
  archived: {
    looks: DESK,
    show: async (stage) => {
      const { page } = stage;
      await rowMenu(stage, TITLE);
      await page.locator('#sessions').getByRole('button', { name: 'Archive', exact: true }).click();
      await page.getByRole('button', { name: 'Show archived' }).click();
      await expect(page.locator('#sessions .session-title')).toHaveText([TITLE]);
    },
  },
  'row-menu': { looks: USUAL, show: (stage) => rowMenu(stage, TITLE) },
  rename: {
    looks: DESK,
    show: async (stage) => {
      await rowMenu(stage, TITLE);
      await stage.page.locator('#sessions').getByRole('button', { name: 'Rename', exact: true }).click();
    },
  },
  'row-deleted': {
    looks: DESK,
    show: async (stage) => {
      await rowMenu(stage, TITLE);
      await stage.page.locator('#sessions').getByRole('button', { name: 'Delete session' }).click();
      await expect(stage.page.locator('#sessions').getByRole('button', { name: 'Undo' })).toBeVisible();
    },
  },
};
