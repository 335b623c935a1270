// How fast the page is, measured where `scripts/page-speed` wants it: nothing here decides whether a test passes, so
// ./test measures none of it. docs/performance.md says what the figures are.
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import type { CDPSession, Page } from '@playwright/test';
import type { Desk } from './support/desk';
import { text, wait, type ScriptedModel, type Step } from './support/model';
import { listen } from './support/port';
import { expect, test } from './support/test';

/** The command that starts Lighthouse. */
const LIGHTHOUSE = process.env.COWORK_LIGHTHOUSE?.split(' ');

test.skip(!LIGHTHOUSE, 'scripts/page-speed measures');
test.setTimeout(1_800_000);
// A message of the long session carries little of those before it.
test.use({ settings: '\n[limits.runner]\nmax_model_context_tokens = 8000\n' });

const SHORT_SESSION = 10;
const LONG_SESSION = 10_000;
const TOKENS_A_SECOND = 200;
const STREAMED_TOKENS = 2_000;
const TYPED = 'While the answer comes in, somebody writes the next question.';
const LIGHTHOUSE_RUNS = 5;
/** Messages that wait at once while a session is filled. */
const BATCH = 20;

interface Watched {
  shift: number;
  firstText: number;
  alive: number;
  frames: number;
  slowestKey: number;
}

/** Watches the page from before its first byte. */
async function watchSpeed(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const watched: Watched = { shift: 0, firstText: 0, alive: 0, frames: 0, slowestKey: 0 };
    Object.assign(window, { watched });
    const look = (type: string, take: (entry: any) => void, more = {}) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
    look('layout-shift', (entry) => {
      if (!entry.hadRecentInput) watched.shift += entry.value;
    });
    look('paint', (entry) => {
      if (entry.name === 'first-contentful-paint') watched.firstText = entry.startTime;
    });
    look('event', (entry) => {
      if (/^key|input/.test(entry.name)) watched.slowestKey = Math.max(watched.slowestKey, entry.duration);
    }, { durationThreshold: 16 });
    new MutationObserver(() => {
      if (!watched.alive && document.documentElement?.hasAttribute('data-hydrated')) watched.alive = performance.now();
    }).observe(document, { attributes: true, childList: true, subtree: true });
    const count = () => {
      watched.frames += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
}

const seen = (page: Page): Promise<Watched> => page.evaluate(() => (window as unknown as { watched: Watched }).watched);

/** Seconds of the page's main thread so far, in scripts and in layout. */
async function worked(wire: CDPSession): Promise<number> {
  const { metrics } = await wire.send('Performance.getMetrics');
  const named = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  return named('ScriptDuration') + named('LayoutDuration') + named('RecalcStyleDuration');
}

/** A session with so many messages, half of them the model's. */
async function filled(desk: Desk, messages: number): Promise<string> {
  const id = await desk.createSession({ title: `${messages} messages` });
  for (let sent = 0; sent < messages / 2; ) {
    for (let batch = 0; batch < BATCH && sent < messages / 2; batch += 1) await desk.send(id, `Note number ${(sent += 1)}`);
    const idle = async () => (await desk.session(id)).status === 'idle' && (await desk.session(id)).turn_count;
    await expect.poll(idle, { intervals: [50] }).toBe(sent);
  }
  return id;
}

interface Figures extends Watched {
  messages: number;
  /** Milliseconds of scripts and layout a frame, while text streams in. */
  frameMs: number;
}

async function measure(desk: Desk, messages: number): Promise<Figures> {
  const id = await filled(desk, messages);
  const tab = await desk.newTab();
  const { page } = tab;
  try {
    await watchSpeed(page);
    const wire = await page.context().newCDPSession(page);
    await wire.send('Performance.enable');
    await tab.open(`/sessions/${id}`);
    await tab.live();
    await page.evaluate(() => document.fonts.ready);
    await tab.say('Stream');
    await tab.lastTurn.locator('.prose').first().waitFor();
    const before = { ...(await seen(page)), worked: await worked(wire) };
    await tab.composer.pressSequentially(TYPED, { delay: 80 });
    await tab.finished();
    const after = { ...(await seen(page)), worked: await worked(wire) };
    return { ...after, messages, frameMs: ((after.worked - before.worked) * 1000) / (after.frames - before.frames) };
  } finally {
    await page.close();
  }
}

interface Scores {
  performance: number;
  accessibility: number;
  'best-practices': number;
}

async function lighthouse(address: string, cookie: string): Promise<Scores> {
  const [program, ...words] = LIGHTHOUSE!;
  const flags = ['--quiet', '--output=json', '--only-categories=performance,accessibility,best-practices', '--chrome-flags=--headless=new --no-sandbox --disable-gpu'];
  const headers = cookie ? [`--extra-headers=${JSON.stringify({ cookie })}`] : [];
  const { stdout } = await promisify(execFile)(program, [...words, address, ...flags, ...headers], { maxBuffer: 1 << 28 });
  const report = JSON.parse(stdout);
  const score = (name: keyof Scores) => Math.round(report.categories[name].score * 100);
  for (const category of ['accessibility', 'best-practices'] as const) {
    const failed = report.categories[category].auditRefs.filter((ref: { id: string; weight: number }) => ref.weight > 0 && report.audits[ref.id].score === 0);
    if (failed.length > 0) console.log(`${address} ${category}: ${failed.map((ref: { id: string }) => ref.id).join(', ')}`);
  }
  return { performance: score('performance'), accessibility: score('accessibility'), 'best-practices': score('best-practices') };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** The same page as a file: its HTML and CSS, with nothing that comes to life. */
async function asFile(html: string, css: string) {
  const still = html.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<link[^>]*(modulepreload|preload)[^>]*>/g, '').replace(/href="[^"]*\.css[^"]*"/, 'href="/page.css"');
  const server = createServer((request, response) => {
    const isCss = request.url === '/page.css';
    response.writeHead(200, { 'content-type': isCss ? 'text/css' : 'text/html; charset=utf-8' });
    response.end(isCss ? css : still);
  });
  return { server, port: await listen(server) };
}

test('the page while text streams in, in a short session and in a long one', async ({ desk, model }) => {
  model.script('Note', [text('Noted.')]);
  model.script('Stream', streamed());
  const [short, long] = [await measure(desk, SHORT_SESSION), await measure(desk, LONG_SESSION)];
  const row = (figures: Figures) =>
    `| ${figures.messages.toLocaleString('en')} | ${figures.firstText.toFixed(0)} ms | ${figures.alive.toFixed(0)} ms | ${figures.shift.toFixed(4)} | ${figures.frameMs.toFixed(2)} ms | ${figures.slowestKey.toFixed(0)} ms |`;
  console.log(['', '| messages | first text | alive | layout shift | script and layout a frame | slowest key |', '|---:|---:|---:|---:|---:|---:|', row(short), row(long), '', `Script and layout a frame, long beside short: ${(long.frameMs / short.frameMs).toFixed(2)}`, ''].join('\n'));
});

function streamed(): Step[] {
  return Array.from({ length: STREAMED_TOKENS }, (_, count) => [text(count % 40 === 39 ? `word${count}.\n\n` : `word${count} `), wait(1000 / TOKENS_A_SECOND)]).flat();
}

test('Lighthouse, beside the same page as a file', async ({ desk, model, server, page }) => {
  model.script('Note', [text('Noted, with `code`.\n\n| a | b |\n|--|--|\n| 1 | 2 |\n')]);
  const id = await filled(desk, SHORT_SESSION);
  const address = `${server.home}/sessions/${id}`;
  const html = await (await page.request.get(address)).text();
  const css = await (await page.request.get(server.origin + /href="([^"]*\.css[^"]*)"/.exec(html)![1])).text();
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const file = await asFile(html, css);
  try {
    const runs = { page: [] as Scores[], file: [] as Scores[] };
    for (let run = 0; run < LIGHTHOUSE_RUNS; run += 1) {
      runs.page.push(await lighthouse(address, cookie));
      runs.file.push(await lighthouse(`http://127.0.0.1:${file.port}/`, ''));
    }
    const row = (name: string, scores: Scores[]) =>
      `| ${name} | ${(['performance', 'accessibility', 'best-practices'] as const).map((key) => median(scores.map((score) => score[key]))).join(' | ')} |`;
    console.log(['', `| median of ${LIGHTHOUSE_RUNS} | performance | accessibility | best practices |`, '|---|---:|---:|---:|', row('the page', runs.page), row('the same page as a file', runs.file), ''].join('\n'));
  } finally {
    file.server.close();
  }
});
