// Every spec runs twice: in the hydrated page, and with JavaScript off, where the server's HTML and forms do the work.
// Each spec starts its own server through the fixture in support/, so there is no webServer here.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const debianChromium = '/usr/bin/chromium';
// Without either, Playwright uses the browser it has downloaded itself.
const executablePath = process.env.COWORK_CHROMIUM || (existsSync(debianChromium) ? debianChromium : undefined);

export default defineConfig({
  testDir: '.',
  forbidOnly: true,
  retries: 0,
  // Generous, both: every wait is for a condition, so only a failure takes this long, and machines that test are busy.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  workers: 2,
  fullyParallel: false,
  reporter: 'list',
  use: {
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath,
      // Containers have no sandbox; the rest keeps the browser from calling anyone but the server under test.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'hydrated', testIgnore: '**/*.plain.spec.ts' },
    { name: 'plain', testIgnore: '**/*.hydrate.spec.ts', use: { javaScriptEnabled: false } },
  ],
});
