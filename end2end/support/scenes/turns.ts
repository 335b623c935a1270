// Turns in all their states, and the connection that they come over.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { call, gate, hangUp, text, thought, type Answer } from '../model';
import { ALSO_DARK, asks, DESK, finished, TITLE, USUAL, WRITE, type Scenes, type Stage } from './common';

/** What a browser says of a server that is away. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|WebSocket connection .* failed|answered 422: .*\/stream$|status of 422/;

async function endless({ desk, model }: Stage, ...before: Answer): Promise<void> {
  model.script('Summarise', [...before, text('Three payments came in; the lar'), gate('never')]);
  await desk.openSession({ title: TITLE });
  await desk.say('Summarise the March ledger.');
  await model.reached('never');
  if (desk.scripts) await expect(desk.lastTurn.locator('.prose').last()).toContainText('the lar');
}

export const TURNS: Scenes = {
  empty: { looks: ALSO_DARK, show: async ({ desk }) => void (await desk.openSession({ title: TITLE })) },
  'empty-folder': {
    looks: DESK,
    show: async ({ desk, page, workspace }) => {
      mkdirSync(join(workspace.root, 'new-project'));
      await desk.openSession({ title: TITLE, workspace: join(workspace.root, 'new-project') });
      await expect(page.locator('.examples')).toBeVisible();
    },
  },
  finished: { looks: ['light', 'dark', 'phone', 'narrow', 'large', 'contrast', 'german'], show: finished },
  running: {
    looks: ALSO_DARK,
    show: async (stage) => {
      await endless(stage, text('I begin. '));
      await stage.desk.say('And the April one, please.');
      await expect(stage.page.locator('.queued')).toBeVisible();
    },
  },
  'plain-running': {
    looks: ['plain'],
    show: async (stage) => {
      await endless(stage);
      await expect(stage.page.frameLocator('iframe.plain-progress').locator('.prose')).toContainText('the lar');
    },
  },
  'live-output': {
    looks: USUAL,
    show: async ({ desk, model, page }) => {
      model.script('Run', [call('shell_execute', { command: 'for i in 1 2 3 4; do echo "$i of 9 ledgers compared"; done; sleep 600' })]);
      await desk.openSession({ title: TITLE });
      await desk.say('Run it.');
      await page.getByRole('button', { name: 'Allow once' }).click();
      await expect(page.locator('.call-live')).toContainText('4 of 9');
    },
  },
  interrupted: {
    looks: USUAL,
    show: async (stage) => {
      await endless(stage);
      await stage.desk.stop.click();
      await stage.desk.finished();
    },
  },
  'model-error': {
    looks: USUAL,
    show: async ({ desk, model }) => {
      model.script('Summarise', [text('Three payments came in; the lar'), hangUp]);
      await desk.openSession({ title: TITLE });
      await desk.ask('Summarise the March ledger.');
    },
  },
  thinking: {
    looks: USUAL,
    show: async ({ desk, model }) => {
      model.script('Which', [thought('The ledger has three rows for March.\nTwo are paid, so one is open.'), text('Initech is still open.')]);
      await desk.openSession({ title: TITLE });
      await desk.ask('Which one is open?');
      await desk.lastTurn.locator('.thinking > summary').click();
      await desk.lastTurn.locator('.facts > summary').click();
    },
  },
  'step-open': {
    looks: USUAL,
    show: async (stage) => {
      await finished(stage);
      await stage.desk.lastTurn.locator('.call-line').nth(1).click();
    },
  },
  'denied-and-failed': {
    looks: USUAL,
    show: async (stage) => {
      await asks(stage, call('read_file', { path: 'ledger-april.csv' }), WRITE);
      await stage.page.getByRole('button', { name: 'Deny', exact: true }).click();
      await stage.desk.finished();
      await stage.desk.lastTurn.locator('.call-line').first().click();
    },
  },
  reconnecting: {
    looks: USUAL,
    show: async (stage) => {
      const { desk, server, watch } = stage;
      watch.allow(AWAY);
      await finished(stage);
      await server.end('SIGKILL');
      await expect(desk.link).toHaveText('Connection lost');
    },
  },
  reconnected: {
    looks: DESK,
    show: async (stage) => {
      const { desk, page, server, watch } = stage;
      watch.allow(AWAY);
      await endless(stage);
      await server.end('SIGKILL');
      await expect(desk.link).toHaveText('Connection lost');
      await server.start();
      await desk.live();
      await expect(page.locator('.log-divider')).toBeVisible();
    },
  },
  'signed-out': {
    looks: USUAL,
    show: async ({ desk, server, watch }) => {
      watch.allow(/401|WebSocket connection .* failed/);
      await desk.openSession({ title: TITLE });
      server.newToken();
      await expect(desk.link).toHaveText('Signed out');
    },
  },
};
