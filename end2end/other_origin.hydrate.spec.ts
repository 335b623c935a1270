// A page of another site, in a browser that is signed in here: it reads, writes, uploads and connects to nothing.
import { createServer, type Server } from 'node:http';
import { expect, test } from './support/test';
import { listen } from './support/port';

interface Attempt {
  what: string;
  outcome: string;
}

/** A site of somebody else's, reached under a name of its own or under ours with another port. It can send one on. */
async function otherSite(html: string): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const to = new URL(request.url!, 'http://other').searchParams.get('to');
    if (to) return void response.writeHead(307, { location: to }).end();
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(html);
  });
  return { server, port: await listen(server) };
}

/** What a script of the page can do to `target`; each must fail. */
async function attack({ target, id }: { target: string; id: string }): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const note = async (what: string, attempt: () => Promise<string>) => {
    const outcome = await attempt().catch((error: Error) => `refused: ${error.name}`);
    attempts.push({ what, outcome });
  };
  const session = `${target}/cowork/sessions/${id}`;
  const json = { 'content-type': 'application/json' };
  for (const path of ['/cowork/sessions', `/cowork/sessions/${id}/turns`, '/config', '/', '/health'])
    await note(`read ${path}`, async () => `got ${(await (await fetch(target + path, { credentials: 'include' })).text()).length}`);
  const post = (url: string, init: RequestInit) =>
    fetch(url, { method: 'POST', credentials: 'include', ...init }).then((answer) =>
      answer.type === 'opaque' ? 'refused: opaque' : `answered ${answer.status}`,
    );
  for (const mode of ['cors', 'no-cors'] as const) {
    await note(`write ${mode}`, () => post(`${session}/messages`, { mode, body: 'message=hacked' }));
    await note(`form ${mode}`, () => post(`${session}/messages`, { mode, body: new URLSearchParams({ message: 'hacked' }) }));
    const upload = new FormData();
    upload.append('files', new Blob(['hacked']), 'hacked.txt');
    await note(`upload ${mode}`, () => post(`${session}/uploads`, { mode, body: upload }));
    const sentOn = `/?to=${encodeURIComponent(`${session}/messages`)}`;
    await note(`sent on ${mode}`, () => post(sentOn, { mode, body: new URLSearchParams({ message: 'hacked' }) }));
  }
  // Forms need no permission to be sent anywhere; what comes back stands in a frame that nobody can look into.
  const form = (path: string, enctype: string) =>
    new Promise<string>((resolve) => {
      const frame = Object.assign(document.createElement('iframe'), { name: `${path} ${enctype}` });
      document.body.append(frame);
      const sent = Object.assign(document.createElement('form'), { method: 'post', action: session + path, enctype, target: frame.name });
      const field = Object.assign(document.createElement('input'), { name: 'message', value: 'hacked' });
      const files = Object.assign(document.createElement('input'), { type: 'file', name: 'files' });
      const chosen = new DataTransfer();
      chosen.items.add(new File(['hacked'], 'hacked.txt'));
      files.files = chosen.files;
      sent.append(path === '/uploads' ? files : field);
      document.body.append(sent);
      frame.onload = () => {
        const outcome = frame.contentDocument ? 'got the answer' : 'refused: closed to us';
        // A frame whose answer is blocked asks again by itself, for as long as it stands.
        frame.remove();
        sent.remove();
        resolve(outcome);
      };
      sent.submit();
    });
  for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])
    for (const path of ['/messages', '/stop', '/uploads', '/restore']) await note(`${enctype} to ${path}`, () => form(path, enctype));
  // A sandboxed frame has no origin at all.
  const nowhere = `<script>
    const done = (outcome) => parent.postMessage(outcome, '*');
    fetch('${session}/messages', { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'message=hacked' }).finally(() => {
      const socket = new WebSocket('${session.replace('http', 'ws')}/stream?cursor=0');
      socket.onopen = () => done('opened');
      socket.onerror = () => done('refused: closed');
    });
  </script>`;
  await note('nowhere', () =>
    new Promise((resolve) => {
      addEventListener('message', (told) => resolve(told.data), { once: true });
      const frame = document.createElement('iframe');
      frame.setAttribute('sandbox', 'allow-scripts allow-forms');
      frame.srcdoc = nowhere;
      document.body.append(frame);
    }),
  );
  await note('json', () => post(`${session}/messages`, { headers: json, body: '{"message":"hacked"}' }));
  await note('delete', () => post(session, { method: 'DELETE' }));
  await note('patch', () => post(session, { method: 'PATCH', headers: json, body: '{"title":"hacked"}' }));
  const tus = { 'tus-resumable': '1.0.0', 'upload-length': '6', 'upload-metadata': `filename ${btoa('hacked.txt')}` };
  await note('resumable upload', () => post(`${session}/uploads/tus`, { headers: tus }));
  await note('beacon', async () => (navigator.sendBeacon(`${session}/messages`, 'message=hacked'), 'refused: no answer'));
  await note('socket', () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${session.replace('http', 'ws')}/stream?cursor=0`);
      socket.onopen = () => resolve('opened');
      socket.onerror = () => reject(new Error('closed'));
    }),
  );
  await note('events', () =>
    new Promise((resolve, reject) => {
      const events = new EventSource(`${session}/stream?cursor=0`, { withCredentials: true });
      events.onopen = () => resolve('opened');
      events.onerror = () => (events.close(), reject(new Error('closed')));
    }),
  );
  await note('worker', () =>
    new Promise((resolve) => {
      const code = `try { importScripts('${target}/cowork/sessions'); postMessage('ran'); } catch (error) { postMessage('refused: ' + error.name); }`;
      const worker = new Worker(URL.createObjectURL(new Blob([code])));
      worker.onmessage = (told) => (worker.terminate(), resolve(told.data));
    }),
  );
  await note('module', async () => `got ${Object.keys(await import(`${target}/cowork/sessions`))}`);
  const element = (tag: 'img' | 'script' | 'iframe' | 'video' | 'object', path: string) =>
    new Promise<string>((resolve, reject) => {
      const made = document.createElement(tag);
      made.onload = () => {
        const inside = tag === 'iframe' ? (made as HTMLIFrameElement).contentDocument : null;
        if (tag === 'iframe' && !inside) reject(new Error('the frame is closed to us'));
        else resolve(`loaded ${inside?.body.innerText.length ?? ''}`);
      };
      made.onerror = () => reject(new Error('not loaded'));
      made.setAttribute(tag === 'object' ? 'data' : 'src', target + path);
      document.body.append(made);
    });
  await note('image', () => element('img', '/favicon.svg'));
  await note('script', () => element('script', '/cowork/sessions'));
  await note('video', () => element('video', `/cowork/sessions/${id}/files/hacked.txt`));
  await note('object', () => element('object', `/cowork/sessions/${id}/turns`));
  await note('frame', () => element('iframe', `/sessions/${id}`));
  return attempts;
}

for (const name of ['evil.example', 'localhost', '127.0.0.1'])
  test(`a page under ${name} gets nowhere`, async ({ server, model, desk, playwright, workspace }, info) => {
    model.script('Our secret', [{ text: 'It is safe here.' }]);
    const id = await desk.openSession({ title: 'Kept apart' });
    await desk.ask('Our secret');

    const { server: site, port } = await otherSite('<!doctype html><title>Other</title><body>');
    // Under a name of its own the site is reached by a resolver rule, as a rebinding attacker would have it.
    const attacker = await playwright.chromium.launch({
      executablePath: info.project.use.launchOptions?.executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
    });
    try {
      const context = await attacker.newContext();
      await server.signIn(context);
      const page = await context.newPage();
      await page.goto(`http://${name}:${port}/`);
      const before = await desk.events(id);
      for (const target of [server.origin, server.origin.replace('127.0.0.1', 'localhost')]) {
        const attempts = await page.evaluate(attack, { target, id });
        expect(attempts.filter((attempt) => !attempt.outcome.startsWith('refused'))).toEqual([]);
      }
      expect(await desk.events(id), 'nothing has happened').toEqual(before);
      expect(workspace.exists('hacked.txt')).toBe(false);
      // Rebinding: the attacker's own name comes to mean this machine, and the browser takes the server for its origin.
      const rebound = await page.goto(server.origin.replace('127.0.0.1', 'evil.example'));
      expect(rebound!.status()).toBe(421);
      // A plain link is all that is left, and it leads in: the cookie comes along when our own page asks again.
      await page.goto(`http://${name}:${port}/`);
      await page.evaluate((href) => {
        const link = Object.assign(document.createElement('a'), { href, textContent: 'go' });
        document.body.append(link);
      }, `${server.origin}/sessions/${id}`);
      await page.getByText('go').click();
      await expect(page.getByRole('heading', { name: 'Kept apart' })).toBeVisible();
      expect(await desk.events(id)).toEqual(before);
    } finally {
      await attacker.close();
      site.close();
    }
  });

test('without a cookie the page says how to get in, and a link leads in once', async ({ browser, server }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.origin);
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await expect(page.getByText('cowork link')).toBeVisible();
  const link = server.link();
  await page.goto(link);
  await expect(page).toHaveURL(`${server.origin}/`);
  await expect(page.getByRole('heading', { name: 'New session' })).toBeVisible();
  await context.clearCookies();
  await page.goto(link);
  await expect(page.getByRole('heading', { name: 'This link does not work any more' })).toBeVisible();
  await context.close();
});
