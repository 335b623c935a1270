// Pictures to look at, in test-results/screens: they assert nothing.
import type { Desk } from './support/desk';
import { call, gate, text, type ScriptedModel } from './support/model';
import { expect, test } from './support/test';

const LOOKS = {
  'desktop-light': { viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  'desktop-dark': { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
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
        await page.screenshot({ path: `test-results/screens/${look}-${scene}.png`, animations: 'disabled' });
      });
    }
  });
}
