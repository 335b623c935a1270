// Every spec runs twice: in the hydrated page, and with JavaScript off, where the server's HTML and forms do the work. Those
// with the tag @phone run twice more, at a phone's size and with its fingers.
// Each spec starts its own server through the fixture in support/, so there is no webServer here.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { browserArguments } from './support/proxy';

const debianChromium = '/usr/bin/chromium';
// Without either, Playwright uses the browser it has downloaded itself.
const executablePath = process.env.COWORK_CHROMIUM || (existsSync(debianChromium) ? debianChromium : undefined);

/**
 * Playwright turns these off too; of two lists the browser takes the last. They reach out, or paint late.
 */
const PLAYWRIGHTS_OWN = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];
/** Each window's own address bar is a page that costs more time than ours. */
const ADDRESS_BAR = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup', 'InitialWebUI'];

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

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
    // A trace of every test costs half its time again: `npx playwright test FILE --trace on` makes one of a test in question.
    trace: 'off',
    screenshot: 'only-on-failure',
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
        `--disable-features=${[...PLAYWRIGHTS_OWN, ...ADDRESS_BAR].join(',')}`,
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
        ...browserArguments(),
      ],
    },
  },
  projects: [
    { name: 'hydrated', testIgnore: '**/*.plain.spec.ts' },
    { name: 'plain', testIgnore: '**/*.hydrate.spec.ts', use: { javaScriptEnabled: false } },
    { name: 'phone', grep: /@phone/, testIgnore: '**/*.plain.spec.ts', use: PHONE },
    { name: 'phone-plain', grep: /@phone/, testIgnore: '**/*.hydrate.spec.ts', use: { ...PHONE, javaScriptEnabled: false } },
  ],
});
