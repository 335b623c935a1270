// Every view and state that the page has, each by the way that leads there: pictures are taken of them, and axe looks at them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import type { Desk } from './desk';
import { call, gate, hangUp, text, thought, type ScriptedModel } from './model';
import type { Cowork } from './server';
import type { Watch } from './watch';
import type { Workspace } from './workspace';

/** All that a scene may need of a test. */
export interface Stage {
  desk: Desk;
  page: Page;
  model: ScriptedModel;
  server: Cowork;
  watch: Watch;
  workspace: Workspace;
}

export const LOOKS = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
  /** Between a phone and a desk, where the right panel is a drawer. */
  narrow: { viewport: { width: 1000, height: 760 }, colorScheme: 'light' },
  /** What a window of 1280 by 800 has room for at 200 %. */
  large: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2, colorScheme: 'light' },
  contrast: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  german: { viewport: { width: 1280, height: 800 }, colorScheme: 'light', locale: 'de-DE' },
  plain: { viewport: { width: 1280, height: 800 }, colorScheme: 'light', javaScriptEnabled: false },
} as const;

export type Look = keyof typeof LOOKS;

export interface Scene {
  show(stage: Stage): Promise<void>;
  looks: readonly Look[];
}

/** What the scenes ask of the configuration. */
export const SETTINGS = '\n[cowork]\nallow_full_mode = true\n';

const USUAL = ['light', 'phone'] as const;
const ALSO_DARK = ['light', 'dark', 'phone'] as const;
const DESK = ['light'] as const;

const REPORT = `## March ledger

Three payments came in; the largest is **ACME** with \`1200.00\`.

| Party | Date | Amount |
|---|---|---:|
| ACME | 2 March | 1,200.00 |
| Globex | 9 March | 310.50 |
| Initech | 30 March | 99.95 |

1. Ask ACME about invoice 0231.
2. See [the closing rules](https://rules.example/closing).

\`\`\`sh
grep ACME ledger-march.csv
\`\`\`
`;

const SUMMARY = '# March\n\nThree payments, 1,610.45 in all.\n';
const WRITE = call('write_file', { path: 'summary.md', content: SUMMARY });
const TITLE = 'March close';
/** What a browser says of a server that is away. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|WebSocket connection .* failed|answered 422: .*\/stream$|status of 422/;

async function finished({ desk, model }: Stage): Promise<void> {
  const reads = [call('list_directory', { path: '.' }), call('read_file', { path: 'ledger-march.csv' }), call('read_file', { path: 'ledger-april.csv' })];
  model.script('Summarise', [text('I look at the folder first.'), ...reads], [call('ripgrep_search', { pattern: 'ACME' })], [text(REPORT)]);
  await desk.openSession({ title: TITLE });
  await desk.ask('Summarise the March ledger and tell me what is open.');
}

/** A session whose steps may change files, which opens with its list of changes. */
async function changes(stage: Stage): Promise<void> {
  const { desk, model, page } = stage;
  const edit = call('edit_file', { path: 'notes.txt', old_str: 'Book the room', new_str: 'Book the large room' });
  model.script('Write', [WRITE], [edit], [text('The summary stands in `summary.md`.')]);
  const id = await desk.createSession({ title: TITLE });
  await desk.setMode(id, 'accept_edits');
  await desk.open(`/sessions/${id}?tab=changes`);
  await desk.ask('Write a summary.');
  await desk.show('Logs');
  await expect(page.locator('.file-change')).toHaveCount(2);
  await page.locator('.file-change summary').first().click();
}

/** A turn that waits for a person's word. */
async function asks({ desk, model, page }: Stage, ...answer: Parameters<ScriptedModel['script']>[1]): Promise<void> {
  model.script('Begin', answer, [text('Good.')]);
  await desk.openSession({ title: TITLE });
  await desk.say('Begin, please.');
  await expect(page.locator('.ask').first()).toBeVisible();
}

async function endless({ desk, model }: Stage, ...before: Parameters<ScriptedModel['script']>[1]): Promise<void> {
  model.script('Summarise', [...before, text('Three payments came in; the lar'), gate('never')]);
  await desk.openSession({ title: TITLE });
  await desk.say('Summarise the March ledger.');
  await model.reached('never');
  if (desk.scripts) await expect(desk.lastTurn.locator('.prose').last()).toContainText('the lar');
}

const PIECE = 1024 * 1024;
const file = (name: string, size: number) => ({ name, mimeType: '', buffer: Buffer.alloc(size, 'what the museum keeps, ') });
const upload = (page: Page, name: string) => page.locator('.upload').filter({ hasText: name });

/** A look into a file. */
async function preview({ desk, page, workspace }: Stage, name: string, content: string | Buffer): Promise<void> {
  writeFileSync(join(workspace.folder, name), content);
  await desk.openSession({ title: TITLE });
  await desk.show('Files');
  await page.locator('.files').getByRole('link', { name: new RegExp(`^${name.replace('.', '\\.')}`) }).click();
  await expect(page.getByRole('dialog', { name: /^Preview of/ })).toBeVisible();
  await expect(page.locator('.preview-body .muted, .preview-body pre, .preview-body img, .preview-body .prose, .preview-body table, .preview-body p').first()).toBeVisible();
}

/** A picture of two colours, of 320 by 200 pixels, as a BMP: a format that needs no packing. */
function picture(): Buffer {
  const [width, height] = [320, 200];
  const bytes = Buffer.alloc(54 + width * height * 3, 0);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let pixel = 0; pixel < width * height; pixel += 1) bytes.set(pixel % width < 120 ? [91, 107, 14] : [236, 240, 226], 54 + pixel * 3);
  return bytes;
}

async function titled(desk: Desk): Promise<void> {
  for (const title of ['Budget questions', 'A very long title that does not fit into the narrow list of sessions', TITLE]) {
    await desk.createSession({ title });
  }
}

const menuOf = (page: Page, label: string) => page.locator(`summary[aria-label="${label}"]`);

async function rowMenu({ desk, page }: Stage, title: string): Promise<void> {
  await titled(desk);
  await desk.openSession({ title: 'Travel policy' });
  await desk.show('Files');
  await page.locator('#sessions').getByRole('button', { name: `Session menu: ${title}` }).click();
}

export const SCENES: Record<string, Scene> = {
  'sign-in': {
    looks: ALSO_DARK,
    show: async ({ page, server, watch }) => {
      watch.allow(/401/);
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
      if (desk.scripts) await expect(page.locator('.check[data-ok="true"]')).toHaveCount(1);
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
  empty: { looks: ALSO_DARK, show: async ({ desk }) => void (await desk.openSession({ title: TITLE })) },
  finished: { looks: ['light', 'dark', 'phone', 'narrow', 'large', 'contrast', 'german'], show: finished },
  running: {
    looks: ALSO_DARK,
    show: async (stage) => {
      await endless(stage, text('I begin.'));
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
  approval: {
    looks: ['light', 'dark', 'phone', 'large', 'contrast', 'german', 'plain'],
    show: async ({ desk, model }) => {
      model.script('Write', [text('I write it down.'), WRITE]);
      await desk.openSession({ title: TITLE });
      await desk.say('Write a summary.');
      await desk.waiting();
    },
  },
  'approval-command': {
    looks: USUAL,
    show: async (stage) => asks(stage, call('shell_execute', { command: 'sort -t, -k3 -n ledger-march.csv > sorted.csv && wc -l sorted.csv' })),
  },
  'approvals-several': {
    looks: USUAL,
    show: async (stage) => {
      const { page } = stage;
      await asks(stage, WRITE, call('delete_file', { path: 'notes.txt' }));
      await expect(page.locator('.ask')).toHaveCount(2);
      await expect(page.locator('.deny-all')).toBeVisible();
    },
  },
  question: {
    looks: ALSO_DARK,
    show: async (stage) => {
      const options = [{ label: 'Excel', description: 'A workbook with one sheet a month' }, 'Plain text'];
      await asks(stage, call('ask_user', { question: 'Which format should the summary have?', options }));
    },
  },
  'question-multi': {
    looks: USUAL,
    show: async (stage) => {
      await asks(stage, call('ask_user', { question: 'Which months?', question_type: 'multi_choice', options: ['January', 'February', 'March'] }));
      await stage.page.getByRole('checkbox', { name: 'March' }).check();
      await stage.page.locator('.ask').getByRole('textbox').fill('And what is left of last year');
    },
  },
  'mode-menu': {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await page.locator('.composer summary.chip').first().click();
    },
  },
  'model-menu': {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await page.locator('.composer summary.chip').nth(1).click();
    },
  },
  'full-mode': {
    looks: USUAL,
    show: async ({ desk, page }) => {
      const id = await desk.createSession({ title: TITLE });
      await desk.setMode(id, 'full');
      await desk.open(`/sessions/${id}`);
      await desk.live();
      await expect(page.locator('.chip[data-mode="full"]')).toBeVisible();
    },
  },
  suggestions: {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await desk.composer.pressSequentially('Compare @in');
      await expect(page.getByRole('option').first()).toBeVisible();
    },
  },
  commands: {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await desk.composer.pressSequentially('/');
      await expect(page.getByRole('option')).toHaveCount(6);
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
  uploads: {
    looks: ALSO_DARK,
    show: async ({ desk, page, watch }) => {
      watch.allow(/answered 422|422 \(/);
      await desk.openSession({ title: TITLE });
      await desk.show('Files');
      const choose = page.locator('.drop-zone input[type="file"]').first();
      await choose.setInputFiles([file('receipts.pdf', 9000)]);
      await expect(upload(page, 'receipts.pdf')).toContainText('added');
      await choose.setInputFiles([file('notes.txt', 900)]);
      await expect(upload(page, 'notes.txt').getByRole('button', { name: 'Keep both' })).toBeVisible();
      await choose.setInputFiles([file('con.txt', 900)]);
      await expect(upload(page, 'con.txt')).toHaveAttribute('data-tone', 'failed');
      // One that is on its way.
      await page.route('**/uploads/tus/**', () => {});
      await choose.setInputFiles([file('film.mov', 3 * PIECE)]);
      await expect(upload(page, 'film.mov')).toBeVisible();
    },
  },
  'preview-text': { looks: USUAL, show: (stage) => preview(stage, 'plan.md', '# The plan\n\n- Read the ledger\n- Match every invoice\n\nThen write it down.\n') },
  'preview-table': { looks: USUAL, show: (stage) => preview(stage, 'prices.csv', 'item,unit,price\nPaper,box,24.50\nToner,piece,89.00\nPens,pack,6.20\n') },
  'preview-picture': { looks: USUAL, show: (stage) => preview(stage, 'flag.bmp', picture()) },
  'preview-none': { looks: USUAL, show: (stage) => preview(stage, 'data.bin', Buffer.from([0, 255, 1, 254, 2, 253])) },
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
  'session-menu': {
    looks: USUAL,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await menuOf(page, 'Session menu').click();
    },
  },
  'look-menu': {
    looks: ALSO_DARK,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await menuOf(page, 'Look and language').click();
    },
  },
  palette: {
    looks: ALSO_DARK,
    show: async ({ desk, page }) => {
      await desk.createSession({ title: 'Travel policy, plain words' });
      await desk.openSession({ title: TITLE });
      await page.keyboard.press('Control+k');
      await page.keyboard.type('le');
      await expect(page.getByRole('option').first()).toBeVisible();
    },
  },
  shortcuts: {
    looks: DESK,
    show: async ({ desk, page }) => {
      await desk.openSession({ title: TITLE });
      await page.locator('.brand').focus();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    },
  },
  'logs-filtered': {
    looks: USUAL,
    show: async (stage) => {
      await finished(stage);
      await stage.desk.show('Logs');
      await stage.page.getByRole('button', { name: 'Tools', exact: true }).click();
    },
  },
  'logs-none': {
    looks: DESK,
    show: async (stage) => {
      await finished(stage);
      await stage.page.getByRole('searchbox', { name: 'Filter by text' }).fill('harbour');
    },
  },
  'logs-marked': {
    looks: USUAL,
    show: async (stage) => {
      const { desk, page } = stage;
      await finished(stage);
      await desk.lastTurn.locator('.call-line').nth(1).click();
      await desk.lastTurn.locator('.call').nth(1).getByRole('button', { name: 'Show in the logs' }).click();
      await expect(page.locator('.log-row[data-marked]')).toBeInViewport();
    },
  },
  files: {
    looks: ['phone'],
    show: async ({ desk }) => {
      await titled(desk);
      await desk.openSession({ title: 'Travel policy' });
      await desk.show('Files');
    },
  },
  logs: {
    looks: ['phone', 'narrow'],
    show: async (stage) => {
      await finished(stage);
      await stage.desk.show('Logs');
      const drawer = stage.page.locator('.toggle-right');
      if (await drawer.isVisible()) await drawer.click();
    },
  },
  plan: {
    looks: USUAL,
    show: async ({ desk, model, page }) => {
      const tasks = [
        { content: 'Read the ledger', status: 'completed' },
        { content: 'Match every invoice', status: 'in_progress' },
        { content: 'Write the differences down', status: 'pending' },
      ];
      model.script('Plan', [call('task_tracker', { tasks })], [text('I match the invoices now.'), gate('never')]);
      const id = await desk.createSession({ title: TITLE });
      await desk.open(`/sessions/${id}?tab=progress`);
      await desk.say('Plan the closing.');
      await model.reached('never');
      await desk.show('Logs');
      await expect(page.locator('.task-row')).toHaveCount(3);
    },
  },
  changes: { looks: ALSO_DARK, show: changes },
  'undo-done': {
    looks: DESK,
    show: async (stage) => {
      await changes(stage);
      await stage.page.getByRole('button', { name: 'Undo the whole turn' }).click();
      await expect(stage.page.locator('.file-change', { hasText: 'taken back' })).toHaveCount(2);
    },
  },
  'undo-conflict': {
    looks: USUAL,
    show: async (stage) => {
      await changes(stage);
      writeFileSync(join(stage.workspace.folder, 'summary.md'), '# My own\n');
      await stage.page.getByRole('button', { name: 'Undo the whole turn' }).click();
      await expect(stage.page.locator('.notice', { hasText: 'left as it is' })).toBeVisible();
    },
  },
  sharing: {
    looks: ALSO_DARK,
    show: async ({ desk, page, server }) => {
      const id = await desk.createSession({ title: TITLE });
      await page.goto(`${server.home}/sessions/${id}/sharing`);
    },
  },
  'empty-folder': {
    looks: DESK,
    show: async ({ desk, page, workspace }) => {
      mkdirSync(join(workspace.root, 'new-project'));
      await desk.openSession({ title: TITLE, workspace: join(workspace.root, 'new-project') });
      await expect(page.locator('.examples')).toBeVisible();
    },
  },
};

/** Every scene in every look that shows something of its own. */
export const VIEWS = Object.entries(SCENES).flatMap(([name, scene]) => scene.looks.map((look) => ({ name, look, show: scene.show })));

/** Shows a scene in a look; what a person chooses for themselves is chosen first. */
export async function stage(look: Look, show: Scene['show'], given: Stage): Promise<void> {
  if (look === 'contrast') {
    await given.page.context().addCookies([{ name: 'cowork_look', value: 'contrast', url: given.server.origin }]);
  }
  await show(given);
}
