// The page comes to life without moving: what the server drew is what the browser draws.
import type { Page } from '@playwright/test';
import { call, gate, text } from './support/model';
import { expect, test } from './support/test';

const PARTS = [
  '.topbar', '.page-title', '.sidebar', '.session-row', '.session-title', '.centre', '.column', '.turn', '.bubble',
  '.prose', '.block', '.call', '.composer', '.composer-text', '.send', '.logs', '.rail-tab', '.filters', '.log-row',
  '.log-text', '.logs-foot', '.menu', '.create', '.folder-bar', '.create-bar', 'h1', '.lead',
];

/** The page's text and where its parts stand. Times are the reader's own once the page lives. */
function drawn(page: Page): Promise<{ text: string[]; boxes: Record<string, string[]> }> {
  return page.evaluate((parts) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const text = [];
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement!;
      const words = walker.currentNode.textContent!.trim();
      if (words && !parent.closest('script, noscript, time, .elapsed, .link-text, .check')) text.push(words);
    }
    const box = (element: Element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return [x, y, width, height].map((number) => Math.round(number * 10) / 10).join(' ');
    };
    const boxes = Object.fromEntries(parts.map((part) => [part, [...document.querySelectorAll(part)].map(box)]));
    return { text, boxes };
  }, PARTS);
}

/** Opens a page whose program is held back, and tells how it looks before and after it starts. */
async function beforeAndAfter(page: Page, address: string, settled: () => Promise<void>) {
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  await page.route('**/*.wasm', async (route) => {
    await started;
    await route.continue();
  });
  await page.goto(address);
  await page.evaluate(() => document.fonts.ready);
  const before = await drawn(page);
  expect(await page.locator('html').getAttribute('data-hydrated')).toBeNull();
  start();
  await settled();
  const after = await drawn(page);
  return { before, after, shifted: await shifted(page) };
}

/** What the browser saw jump since then, in its own milliseconds since the page was opened; times and the state of the connection do say something new. */
function shifted(page: Page, since = 0): Promise<string[]> {
  return page.evaluate((since) => {
    type Shift = PerformanceEntry & { sources: { node?: Node }[] };
    const shifts: Shift[] = [];
    const observer = new PerformanceObserver((list) => shifts.push(...(list.getEntries() as Shift[])));
    observer.observe({ type: 'layout-shift', buffered: true });
    return new Promise<string[]>((resolve) => {
      // Buffered entries have been handed out by then.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          const nodes = shifts.filter((shift) => shift.startTime >= since).flatMap((shift) => shift.sources.map((source) => source.node));
          const elements = nodes.map((node) => (node instanceof Element ? node : node?.parentElement));
          const moved = elements.filter((element) => element && !element.closest('time, .elapsed, .link, .check'));
          resolve(moved.map((element) => `${element!.tagName} ${element!.className}`));
        }),
      );
    });
  }, since);
}

test('the start page does not move', async ({ page, desk, server }) => {
  await desk.createSession({ title: 'An earlier one' });
  const { before, after, shifted } = await beforeAndAfter(page, server.origin, () => desk.alive());
  expect(after).toEqual(before);
  expect(shifted).toEqual([]);
});

test('a session with tools, a table and code does not move', async ({ page, desk, model, server }) => {
  model.script('Report', [call('read_file', { path: 'notes.txt' }), call('list_directory', { path: '.' })], [
    text('## Result\n\nThree *kinds*:\n\n| party | amount |\n|---|---:|\n| ACME | 1200.00 |\n\n```rust\nfn main() {}\n```\n\n1. one\n2. two\n'),
  ]);
  const id = await desk.openSession({ title: 'A report' });
  await desk.ask('Report');
  const { before, after, shifted } = await beforeAndAfter(page, `${server.origin}/sessions/${id}`, async () => {
    await desk.alive();
    await desk.live();
  });
  expect(after).toEqual(before);
  expect(shifted).toEqual([]);
});

test('a long conversation opens at its end and stays there; the page itself does not scroll', async ({ page, desk, model, server }) => {
  model.script('Long', Array.from({ length: 80 }, (_, count) => text(`Line ${count}\n\n`)));
  model.script('Short', [text('The last word.')]);
  const id = await desk.openSession({ title: 'A report' });
  await desk.ask('Long');
  await desk.ask('Short');
  const { before, after, shifted } = await beforeAndAfter(page, `${server.origin}/sessions/${id}`, async () => {
    await desk.alive();
    await desk.live();
  });
  expect(after.text).toEqual(before.text);
  // A browser scrolls by whole pixels; where it began, it stood between two.
  const tops = ({ boxes }: typeof before) => boxes['.block'].map((box) => Number(box.split(' ')[1]));
  const moved = tops(after).map((top, index) => Math.abs(top - tops(before)[index]));
  expect(Math.max(...moved)).toBeLessThan(1);
  expect(shifted).toEqual([]);
  await expect(page.getByText('The last word.')).toBeInViewport();
  const room = await page.evaluate(() => document.scrollingElement!.scrollHeight - innerHeight);
  expect(room).toBe(0);
});

test('who scrolls up before the page is alive goes on reading there', async ({ page, desk, model, server }) => {
  model.script('Long', Array.from({ length: 80 }, (_, count) => text(`Line ${count}\n\n`)));
  const id = await desk.openSession();
  await desk.ask('Long');
  const scroller = page.locator('.scroller');
  const place = () => page.getByText('Line 40', { exact: true }).evaluate((element) => Math.round(element.getBoundingClientRect().top));
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  await page.route('**/*.wasm', async (route) => {
    await started;
    await route.continue();
  });
  await page.goto(`${server.origin}/sessions/${id}`);
  await page.getByText('Line 40', { exact: true }).scrollIntoViewIfNeeded();
  const before = await place();
  start();
  await desk.alive();
  expect(Math.abs((await place()) - before)).toBeLessThanOrEqual(1);
  await expect(scroller).not.toHaveAttribute('data-follows');
});

// How long it runs is the reader's own time, as any other.
test('a running turn does not move', async ({ page, desk, model, server }) => {
  model.script('Report', [call('read_file', { path: 'notes.txt' })], [text('Half of a **sent'), gate('never')]);
  const id = await desk.openSession({ title: 'A report' });
  await desk.say('Report');
  await expect(desk.lastTurn.locator('.prose').last()).toContainText('Half of a');
  const { before, after, shifted } = await beforeAndAfter(page, `${server.origin}/sessions/${id}`, async () => {
    await desk.alive();
    await desk.live();
  });
  expect(after).toEqual(before);
  expect(shifted).toEqual([]);
});

test('nothing moves for a reader who follows, while text comes and when the turn ends', async ({ page, desk, model }) => {
  const line = (name: string) => text(`${name}\n\n`);
  model.script('Long', Array.from({ length: 60 }, (_, count) => line(`Line ${count}`)));
  model.script('More', [...['one', 'two', 'three'].flatMap((name) => [line(name), gate(name)])]);
  const id = await desk.openSession();
  await desk.send(id, 'Long');
  await expect(desk.lastTurn.locator('.turn-foot')).toBeInViewport();

  const since = await page.evaluate(() => performance.now());
  await desk.send(id, 'More');
  for (const name of ['one', 'two', 'three']) {
    await model.reached(name);
    await expect(desk.lastTurn.getByText(name, { exact: true })).toBeInViewport();
    expect(await shifted(page, since), name).toEqual([]);
    model.open(name);
  }
  await expect(desk.lastTurn.locator('.turn-foot')).toBeInViewport();
  expect(await shifted(page, since)).toEqual([]);
});
