// Opens a page for the first time and prints what came over the wire: one entry a request, with its bytes as the
// browser's network layer counts them, headers and compression included.
//   node benches/page.mjs http://127.0.0.1:9000/sessions/… "$(cowork token)"
import { createRequire } from 'node:module';

const require = createRequire(new URL('../end2end/package.json', import.meta.url));
const { chromium } = require('@playwright/test');

const [address, token] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.COWORK_CHROMIUM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const page = await browser.newPage();
  // Signed in beside the page, so that its first visit stays its first.
  const made = await page.request.post(new URL('/launch', address).href, { headers: { authorization: `Bearer ${token}` } });
  await page.request.get(new URL((await made.json()).path, address).href, { maxRedirects: 0 });
  const wire = await page.context().newCDPSession(page);
  const requests = new Map();
  wire.on('Network.responseReceived', ({ requestId, response }) => {
    const header = Object.entries(response.headers).find(([name]) => name.toLowerCase() === 'content-encoding');
    requests.set(requestId, { path: new URL(response.url).pathname, encoding: header?.[1] ?? 'none', bytes: 0 });
  });
  wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) request.bytes = encodedDataLength;
  });
  await wire.send('Network.enable');
  const answer = await page.goto(address, { waitUntil: 'networkidle' });
  if (answer.status() !== 200) throw new Error(`${address} was answered with ${answer.status()}`);
  const missing = [...requests.values()].filter((request) => request.bytes === 0);
  if (missing.length > 0) throw new Error(`no end of ${missing.map((request) => request.path).join(', ')}`);
  console.log(JSON.stringify({ requests: [...requests.values()] }));
} finally {
  await browser.close();
}
