// The `test` of every spec: its own folder, model and server, and a browser that is watched.
import { test as base, expect } from '@playwright/test';
import { Desk } from './desk';
import { ScriptedModel } from './model';
import { Cowork } from './server';
import { Watch } from './watch';
import { Workspace } from './workspace';

interface Fixtures {
  /** Where the server begins. */
  basePath: string;
  /** More lines of its configuration. */
  settings: string;
  workspace: Workspace;
  model: ScriptedModel;
  server: Cowork;
  watch: Watch;
  desk: Desk;
}

export { expect };

export const test = base.extend<Fixtures>({
  basePath: ['', { option: true }],
  settings: ['', { option: true }],

  workspace: async ({}, use) => {
    const workspace = new Workspace();
    await use(workspace);
    workspace.remove();
  },

  model: async ({}, use) => {
    const model = new ScriptedModel();
    await model.start();
    await use(model);
    await model.stop();
  },

  server: async ({ workspace, model, basePath, settings }, use, info) => {
    const server = new Cowork(workspace, model.baseUrl, basePath, settings);
    await server.start();
    await use(server);
    await server.end('SIGKILL');
    if (info.status !== info.expectedStatus) await info.attach('server', { body: server.printed() });
  },

  // Every browser of a test is signed in; a page that should not be opens a context of its own.
  context: async ({ context, server }, use) => {
    await server.signIn(context);
    await use(context);
  },

  baseURL: async ({ server }, use) => use(server.origin),

  watch: [
    async ({ context, server, javaScriptEnabled }, use) => {
      const watch = new Watch(() => server.origin, javaScriptEnabled !== false);
      watch.attach(context);
      await use(watch);
      expect(watch.complaints(), 'what the browser complained about').toEqual([]);
    },
    { auto: true },
  ],

  desk: async ({ page, server, workspace, javaScriptEnabled }, use) => {
    await use(new Desk(page, server, workspace, javaScriptEnabled !== false));
  },
});
