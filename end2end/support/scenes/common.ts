// What scenes have in common: what they are given, the looks, and the ways that several of them begin with.
import { expect, type Page } from '@playwright/test';
import type { Desk } from '../desk';
import { call, text, type Answer, type ScriptedModel } from '../model';
import type { Cowork } from '../server';
import type { Watch } from '../watch';
import type { Workspace } from '../workspace';

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
  german: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  plain: { viewport: { width: 1280, height: 800 }, colorScheme: 'light', javaScriptEnabled: false },
} as const;

export type Look = keyof typeof LOOKS;

export interface Scene {
  show(stage: Stage): Promise<void>;
  looks: readonly Look[];
}

export type Scenes = Record<string, Scene>;

export const USUAL = ['light', 'phone'] as const;
export const ALSO_DARK = ['light', 'dark', 'phone'] as const;
export const DESK = ['light'] as const;

export const TITLE = 'March close';
export const WRITE = call('write_file', { path: 'summary.md', content: '# March\n\nThree payments, 1,610.45 in all.\n' });

const REPORT = `# March ledger

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

export async function finished({ desk, model }: Stage): Promise<void> {
  const reads = [call('list_directory', { path: '.' }), call('read_file', { path: 'ledger-march.csv' }), call('read_file', { path: 'ledger-april.csv' })];
  model.script('Summarise', [text('I look at the folder first.'), ...reads], [call('ripgrep_search', { pattern: 'ACME' })], [text(REPORT)]);
  await desk.openSession({ title: TITLE });
  await desk.ask('Summarise the March ledger and tell me what is open.');
}

/** A turn that waits for a person's word. */
export async function asks({ desk, model, page }: Stage, ...answer: Answer): Promise<void> {
  model.script('Begin', answer, [text('Good.')]);
  await desk.openSession({ title: TITLE });
  await desk.say('Begin, please.');
  await expect(page.locator('.ask').first()).toBeVisible();
}

export async function titled(desk: Desk): Promise<void> {
  for (const title of ['Budget questions', 'A very long title that does not fit into the narrow list of sessions', TITLE]) {
    await desk.createSession({ title });
  }
}

export const menuOf = (page: Page, label: string) => page.locator(`summary[aria-label="${label}"]`);
