// The `test` of every spec: its own folder, model and server, and a browser that is watched.
import { test as base, type BrowserContext, expect } from '@playwright/test';
import { Desk } from './desk';
import { ScriptedModel } from './model';
import { Proxy, PROXY_BASE } from './proxy';
import { configuration, Cowork } from './server';
import { Watch } from './watch';
import { Workspace } from './workspace';

interface Fixtures {
  /** Where the server begins. */
  basePath: string;
  /** More lines of its configuration. */
  settings: string;
  /** How often a model is asked for one answer. */
  attempts: number;
  workspace: Workspace;
  model: ScriptedModel;
  server: Cowork;
  watch: Watch;
  desk: Desk;
  /** Lets somebody in, in a browser of their own. */
  person: (name: string) => Promise<Desk>;
}

interface WorkerFixtures {
  /** What stands before the server, where the run has one. */
  reverseProxy: Proxy | undefined;
}

export { expect };

const PASSWORD = 'a horse of another colour';

export const test = base.extend<Fixtures, WorkerFixtures>({
  basePath: [PROXY_BASE, { option: true }],
  settings: ['', { option: true }],
  attempts: [1, { option: true }],

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

  reverseProxy: [
    async ({}, use) => {
      const proxy = await Proxy.start();
      await use(proxy);
      await proxy?.end();
    },
    { scope: 'worker' },
  ],

  server: async ({ workspace, model, basePath, settings, attempts, reverseProxy }, use, info) => {
    const server = new Cowork(workspace, configuration(model.baseUrl, attempts), basePath, settings, reverseProxy);
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

  httpCredentials: async ({ reverseProxy }, use) => use(reverseProxy?.credentials()),

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

  person: async ({ browser, server, watch, workspace, reverseProxy }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (name) => {
      const context = await browser.newContext({ httpCredentials: reverseProxy?.credentials(name) });
      contexts.push(context);
      watch.attach(context);
      const desk = new Desk(await context.newPage(), server, workspace, true);
      if (!reverseProxy) {
        await server.addPerson(name, PASSWORD);
        await desk.signIn(name, PASSWORD);
      }
      return desk;
    });
    for (const context of contexts) await context.close();
  },
});
