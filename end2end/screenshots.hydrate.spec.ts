// Pictures to look at, where `scripts/pictures` wants them: they assert nothing, so ./test takes none.
import type { Desk } from './support/desk';
import { call, gate, text, type ScriptedModel } from './support/model';
import { expect, test } from './support/test';

const PICTURES = process.env.COWORK_PICTURES;

test.skip(!PICTURES, 'scripts/pictures takes them');

const LOOKS = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
} as const;

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

/** Each leads to what its picture shows. */
const SCENES: Record<string, (desk: Desk, model: ScriptedModel) => Promise<void>> = {
  home: async (desk) => {
    for (const title of ['Budget questions', 'A very long title that does not fit into the narrow list of sessions', 'March close']) {
      await desk.createSession({ title });
    }
    await desk.open('/');
  },
  empty: async (desk) => void (await desk.openSession({ title: 'March close' })),
  finished: async (desk, model) => {
    const reads = [call('list_directory', { path: '.' }), call('read_file', { path: 'ledger-march.csv' }), call('read_file', { path: 'ledger-april.csv' })];
    model.script('Summarise', [text('I look at the folder first.'), ...reads], [call('ripgrep_search', { pattern: 'ACME' })], [text(REPORT)]);
    await desk.openSession({ title: 'March close' });
    await desk.ask('Summarise the March ledger and tell me what is open.');
  },
  running: async (desk, model) => {
    model.script('Summarise', [call('read_file', { path: 'ledger-march.csv' })], [text('Three payments came in; the lar'), gate('never')]);
    await desk.openSession({ title: 'March close' });
    await desk.say('Summarise the March ledger.');
    await model.reached('never');
    await expect(desk.lastTurn.locator('.prose').last()).toContainText('the lar');
    await desk.say('And the April one, please.');
    await expect(desk.page.locator('.queued')).toBeVisible();
  },
  approval: async (desk, model) => {
    model.script('Write', [text('I write it down.'), call('write_file', { path: 'summary.md', content: '# March\n\nThree payments, 1,610.45 in all.\n' })]);
    await desk.openSession({ title: 'March close' });
    await desk.say('Write a summary.');
    await expect(desk.page.getByRole('button', { name: 'Allow once' })).toBeVisible();
  },
  changes: async (desk, model) => {
    model.script('Write', [call('write_file', { path: 'summary.md', content: '# March\n\nThree payments, 1,610.45 in all.\n' })], [
      call('edit_file', { path: 'notes.txt', old_str: 'Book the room', new_str: 'Book the large room' }),
    ], [text('The summary stands in `summary.md`.')]);
    const id = await desk.createSession({ title: 'March close' });
    await desk.setMode(id, 'accept_edits');
    await desk.open(`/sessions/${id}?tab=changes`);
    await desk.ask('Write a summary.');
    if (await desk.page.locator('.zones').isVisible()) await desk.page.getByRole('button', { name: /^Logs/ }).click();
    await desk.page.locator('.file-change summary').first().click();
  },
  plan: async (desk, model) => {
    const tasks = [
      { content: 'Read the ledger', status: 'completed' },
      { content: 'Match every invoice', status: 'in_progress' },
      { content: 'Write the differences down', status: 'pending' },
    ];
    model.script('Plan', [call('task_tracker', { tasks })], [text('I match the invoices now.'), gate('never')]);
    const id = await desk.createSession({ title: 'March close' });
    await desk.open(`/sessions/${id}?tab=progress`);
    await desk.say('Plan the closing.');
    await model.reached('never');
    if (await desk.page.locator('.zones').isVisible()) await desk.page.getByRole('button', { name: /^Logs/ }).click();
    await expect(desk.page.locator('.task-row')).toHaveCount(3);
  },
  palette: async (desk) => {
    await desk.createSession({ title: 'Travel policy, plain words' });
    await desk.openSession({ title: 'March close' });
    await desk.page.keyboard.press('Control+k');
    await desk.page.keyboard.type('le');
    await expect(desk.page.getByRole('option').first()).toBeVisible();
  },
  interrupted: async (desk, model) => {
    model.script('Summarise', [text('Three payments came in; the lar'), gate('never')]);
    await desk.openSession({ title: 'March close' });
    await desk.say('Summarise the March ledger.');
    await desk.stop.click();
    await expect(desk.lastTurn).not.toHaveAttribute('data-running');
  },
};

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    test.use(options);
    for (const [scene, show] of Object.entries(SCENES)) {
      test(scene, async ({ desk, page, model }) => {
        await show(desk, model);
        await page.screenshot({ path: `${PICTURES}/${scene}-${look}.png`, animations: 'disabled' });
      });
    }
  });
}
