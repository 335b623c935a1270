// The served HTML is valid. A browser mends wrong nesting in silence, and then the page can't come to life from it.
import { HtmlValidate } from 'html-validate';
import type { Desk } from './support/desk';
import { call, gate, text } from './support/model';
import { expect, test } from './support/test';

const validator = new HtmlValidate({ root: true, extends: ['html-validate:standard'] });

/**
 * Two habits of Leptos that browsers read as meant, and this validator does not: `<!>` is an empty comment that marks a
 * place, and `crossorigin` with a value that is no keyword is `anonymous`.
 */
function asBrowsersRead(html: string): string {
  return html.replaceAll('<!>', '<!---->').replace(/crossorigin="[\w-]+"/g, 'crossorigin="anonymous"');
}

async function faults(desk: Desk, path: string): Promise<string[]> {
  const answer = await desk.page.request.get(path, { headers: { accept: 'text/html' } });
  const report = await validator.validateString(asBrowsersRead(await answer.text()));
  return report.results.flatMap((result) =>
    result.messages.map(({ ruleId, message, selector }) => `${ruleId}: ${message} (${selector})`),
  );
}

test('the start page, whole or with something wrong', async ({ desk }) => {
  await desk.createSession({ title: 'One & <two>' });
  for (const path of ['/', '/?dir=/nowhere', '/?error=Something+went+wrong', `/?deleted=${'0'.repeat(32)}`]) {
    expect.soft(await faults(desk, path), path).toEqual([]);
  }
});

test('a session: empty, running, with everything in it, and not there', async ({ desk, model }) => {
  model.script('Everything', [call('read_file', { path: 'notes.txt' }), call('read_file', { path: 'missing' })], [
    text('# Heading\n\nText with **bold**, `code`, [a link](https://a.example/).\n\n- one\n  - two\n- [x] done\n\n'),
    text('| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n> quote\n>\n> - in it\n\n```rust\nfn main() {}\n```\n\n<div>raw</div>\n\n---\n\nEnd $x^2$.'),
  ]);
  model.script('Endless', [text('- half of a li'), gate('never')]);
  const id = await desk.openSession();
  for (const path of [`/sessions/${id}`, `/sessions/${id}/live`]) expect.soft(await faults(desk, path), `empty ${path}`).toEqual([]);
  await desk.ask('Everything');
  for (const path of [`/sessions/${id}`, `/sessions/${id}/live`]) expect.soft(await faults(desk, path), `done ${path}`).toEqual([]);
  await desk.say('Endless');
  await model.reached('never');
  await desk.say('What waits');
  for (const path of [`/sessions/${id}`, `/sessions/${id}/live`]) expect.soft(await faults(desk, path), `running ${path}`).toEqual([]);
  for (const path of ['/nowhere', `/sessions/${'0'.repeat(32)}`]) expect.soft(await faults(desk, path), path).toEqual([]);
});
