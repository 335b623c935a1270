// A proxy before the server, by the recipes in deploy/: COWORK_BEHIND=nginx or =caddy puts one before every server of a run.
// NODE_EXTRA_CA_CERTS names its certificate, beside which the key lies, so that Node believes it too; deploy/try makes both.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { freePort } from './port';

const kind = process.env.COWORK_BEHIND;
const certificate = process.env.NODE_EXTRA_CA_CERTS;
if (kind && !certificate) throw new Error('COWORK_BEHIND needs NODE_EXTRA_CA_CERTS; deploy/try sets both.');

/** Where Cowork begins, as the recipes have it. */
export const PROXY_BASE = kind ? '/cowork' : '';
/** Who works where nobody else is named. */
export const SOMEBODY = 'anna';

/** What the browser has to be told to believe the proxy's key, and no other one that it doesn't know. */
export function browserArguments(): string[] {
  if (!kind) return [];
  const key = new X509Certificate(readFileSync(certificate!)).publicKey.export({ type: 'spki', format: 'der' });
  return [`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`];
}

export class Proxy {
  private readonly place = mkdtempSync(join(tmpdir(), 'cowork-proxy-'));
  private process?: ChildProcess;
  private output = '';

  private constructor(
    readonly origin: string,
    /** Where the server must listen. */
    readonly upstream: number,
  ) {}

  /** `undefined` where the run has none. */
  static async start(): Promise<Proxy | undefined> {
    if (!kind) return undefined;
    const [port, upstream] = [await freePort(), await freePort()];
    const proxy = new Proxy(`https://localhost:${port}`, upstream);
    const tls = dirname(resolve(certificate!));
    proxy.process = spawn('../deploy/proxy', [kind, `${port}`, `${upstream}`, tls, proxy.place]);
    proxy.process.stderr!.on('data', (text) => (proxy.output += text));
    await proxy.answers();
    return proxy;
  }

  private async answers(): Promise<void> {
    for (;;) {
      const { exitCode } = this.process!;
      if (exitCode !== null) throw new Error(`The proxy ended (${exitCode}):\n${this.output}`);
      // Nobody is behind it yet, so any answer will do.
      if (await fetch(this.origin).catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** What the server's configuration says of the proxy. */
  settings(): string {
    return `
[cowork]
allowed_hosts = ["${this.origin}"]
[cowork.access]
proxy_header = "X-Forwarded-User"
proxies = ["127.0.0.1"]
`;
  }

  /** The name and password by which it knows a person. */
  credentials(name = SOMEBODY): { username: string; password: string } {
    return { username: name, password: `secret-of-${name}` };
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.process!.once('exit', resolve));
    this.process!.kill('SIGTERM');
    await ended;
    rmSync(this.place, { recursive: true, force: true });
  }
}
