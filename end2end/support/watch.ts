// What no page may do unasked: fail, complain, or speak to anybody but its own server.
import type { BrowserContext } from '@playwright/test';

/** The browser's own word for a request that it gave up itself, because its page was left. */
const GIVEN_UP = 'net::ERR_ABORTED';
/** With scripts off, the browser says this of each script that the page names; a true violation is a console error too. */
const SCRIPTS_ARE_OFF = 'csp';
/** What a browser asks for by itself where a page names no icon: a file that is shown alone, the health of the server. */
const ICON = '/favicon.ico';
// The last two are parts of the browser itself, such as its PDF viewer.
const LEAVES_NOTHING = /^(data|blob|about|devtools|chrome|chrome-extension):/;

export class Watch {
  private readonly faults: string[] = [];
  private readonly expected: RegExp[] = [];
  private readonly allowed: RegExp[] = [];
  /** Addresses outside the origin that something asked for. */
  readonly strayed: string[] = [];

  constructor(
    private readonly origin: () => string,
    private readonly scripts: boolean,
  ) {}

  /** A fault that the test is about. It must happen. */
  expect(fault: RegExp): void {
    this.expected.push(fault);
  }

  /** A fault that the test may bring about, depending on who is faster. */
  allow(fault: RegExp): void {
    this.allowed.push(fault);
  }

  attach(context: BrowserContext): void {
    // Seen, not held back: a browser whose requests are held back caches nothing. The configuration lets it reach nobody.
    context.on('request', (request) => {
      if (this.strays(request.url())) this.strayed.push(request.url());
    });
    context.on('page', (page) => {
      page.on('websocket', (socket) => {
        if (this.strays(socket.url().replace(/^ws/, 'http'))) this.strayed.push(socket.url());
      });
    });
    context.on('weberror', (error) => this.faults.push(`page error: ${error.error().stack ?? error.error().message}`));
    context.on('console', (message) => {
      if (message.type() !== 'error' || message.location().url.endsWith(ICON)) return;
      this.faults.push(`console error: ${message.text()}`);
    });
    context.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText;
      if (reason === GIVEN_UP || this.strays(request.url())) return;
      if (reason === SCRIPTS_ARE_OFF && !this.scripts && request.url().endsWith('.js')) return;
      this.faults.push(`failed: ${request.url()}: ${reason}`);
    });
    context.on('response', (response) => {
      if (response.status() >= 400) this.faults.push(`answered ${response.status()}: ${response.url()}`);
    });
  }

  private strays(url: string): boolean {
    return !LEAVES_NOTHING.test(url) && new URL(url).origin !== this.origin();
  }

  /** Every fault that no test expected, and every expected one that did not happen. */
  complaints(): string[] {
    const known = [...this.expected, ...this.allowed];
    const unexpected = this.faults.filter((fault) => !known.some((known) => known.test(fault)));
    const missing = this.expected.filter((known) => !this.faults.some((fault) => known.test(fault)));
    return [
      ...new Set(unexpected),
      ...missing.map((known) => `expected, but did not happen: ${known}`),
      ...this.strayed.map((url) => `left the origin: ${url}`),
    ];
  }
}
