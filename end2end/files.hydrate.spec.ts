// What a browser really sends and runs: names of files as it writes them into a form, and files that would like to act.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './support/test';

/** A browser escapes quotes and line ends of a name, and nothing else. */
const NAMES = ['plain.txt', 'say "hi".txt', 'per%cent %41.txt', 'ü 数.txt', 'a;b=c.txt', "it's.txt", 'folder/deep/x.txt'];

test('a file keeps the name that the browser had for it', async ({ desk, page, server }) => {
  const id = await desk.createSession();
  await page.goto(`${server.origin}/health`);
  const answer = await page.evaluate(
    async ({ id, names }) => {
      const form = new FormData();
      for (const name of names) form.append('files', new File([name], 'local'), name);
      const answer = await fetch(`/cowork/sessions/${id}/uploads`, { method: 'POST', body: form });
      return (await answer.json()) as { files: { path: string; status: string }[] };
    },
    { id, names: NAMES },
  );
  expect(answer.files.map((file) => file.path)).toEqual(NAMES);
  expect(answer.files.every((file) => file.status === 'uploaded')).toBe(true);
});

/** Would ask our server for something if it ran. */
const ACTS = 'fetch("/cowork/sessions?ran");document.cookie;new Image().src="/favicon.svg?ran"';
const FILES: Record<string, string> = {
  'act.svg': `<svg xmlns="http://www.w3.org/2000/svg" onload='${ACTS}'><script>${ACTS}</script><image href="/favicon.svg?ran"/></svg>`,
  'act.pdf': `<html><script>${ACTS}</script></html>`,
  'act.png': `<html><script>${ACTS}</script></html>`,
};

test('a file that is shown in its place runs nothing and reaches nothing', async ({ desk, page, server, watch, workspace }) => {
  // The browser says that it held a script back.
  watch.allow(/Blocked script execution|violates the following Content Security Policy|ERR_BLOCKED_BY_CSP|failed: .*\?ran: csp/);
  const id = await desk.createSession();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  for (const [name, content] of Object.entries(FILES)) {
    writeFileSync(join(workspace.folder, name), content);
    // A browser that would rather save the file gives up the page for it.
    await page.goto(`${server.origin}/cowork/sessions/${id}/files/${name}?inline=true`).catch(() => undefined);
  }
  expect(asked.some((url) => url.includes('act.svg')), 'the files were opened').toBe(true);
  expect(asked.filter((url) => url.includes('sessions?ran'))).toEqual([]);
});
