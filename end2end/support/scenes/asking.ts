// What asks a person, what a person chooses, and what the composer offers.
import { expect } from '@playwright/test';
import { call, text } from '../model';
import { ALSO_DARK, asks, TITLE, USUAL, WRITE, type Scenes } from './common';

export const ASKING: Scenes = {
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
};
