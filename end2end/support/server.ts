// The built program, started as a person starts it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type BrowserContext, expect } from '@playwright/test';
import { freePort } from './port';
import { type Proxy, SOMEBODY } from './proxy';
import type { Workspace } from './workspace';

const target = process.env.CARGO_TARGET_DIR || '../target';
const binary = resolve(process.env.COWORK_BIN || join(target, 'debug/cowork'));
/** What the log says when the users file was looked at. */
const USERS_READ = 'who may sign in was read again';
const READY = /^Cowork is ready: (http:\/\/\S+)$/;

export class Cowork {
  private process?: ChildProcess;
  private output = '';
  private port = 0;
  origin = '';
  /** Where it begins: the origin, and the base path if it has one. */
  home = '';

  constructor(
    private readonly workspace: Workspace,
    private readonly configuration: string,
    private readonly basePath = '',
    /** More of it, after what the proxy needs. */
    private readonly settings = '',
    private readonly proxy?: Proxy,
  ) {}

  /** Lets a browser in as a person does: with a link from the terminal, which works once. A proxy knows whom it lets in. */
  async signIn(context: BrowserContext): Promise<void> {
    if (this.proxy) return;
    const answer = await context.request.get(this.link(), { maxRedirects: 0 });
    if (answer.status() !== 303) throw new Error(`The link was answered with ${answer.status()}: ${await answer.text()}`);
  }

  /** How a card names who works here. */
  get me(): string {
    return this.proxy ? SOMEBODY : 'you';
  }

  /** What a script shows. To a proxy it shows a password, as a browser would by itself, so it says that it is no other site. */
  credential(): Record<string, string> {
    if (this.proxy) {
      const { username, password } = this.proxy.credentials();
      return { authorization: `Basic ${btoa(`${username}:${password}`)}`, origin: this.origin };
    }
    const token = execFileSync(binary, ['token', ...this.place()], { encoding: 'utf8' }).trim();
    return { authorization: `Bearer ${token}` };
  }

  /** Signs everybody out. */
  newToken(): void {
    execFileSync(binary, ['token', '--rotate', ...this.place()]);
  }

  /** Whoever signs in with a name and a password, from when the server has read of them. */
  async addPerson(name: string, password: string): Promise<void> {
    const reads = () => this.output.split(USERS_READ).length;
    const before = reads();
    execFileSync(binary, ['user', 'add', name, ...this.place()], { input: `${password}\n`, stdio: 'pipe' });
    await expect.poll(reads).toBeGreaterThan(before);
  }

  link(): string {
    return execFileSync(binary, ['link', ...this.place()], { encoding: 'utf8' }).trim();
  }

  /** What says which Cowork is meant. */
  private place(): string[] {
    const { home } = this.workspace;
    return ['--config', join(home, 'loom.toml'), '--database', join(home, 'cowork.db')];
  }

  private below(): string[] {
    return this.basePath ? ['--base-path', this.basePath] : [];
  }

  /** Also starts it again, at the same address and with the same sessions. */
  async start(): Promise<void> {
    if (!existsSync(binary)) throw new Error(`There is no ${binary}. Build it, or name one in COWORK_BIN.`);
    this.port ||= this.proxy?.upstream ?? (await freePort());
    writeFileSync(join(this.workspace.home, 'loom.toml'), this.configuration + (this.proxy?.settings() ?? '') + this.settings);
    const child = spawn(binary, [...this.place(), '--workspace', this.workspace.root, '--port', String(this.port), ...this.below()], {
      cwd: this.workspace.home,
      env: { HOME: this.workspace.home, PATH: process.env.PATH, RUST_BACKTRACE: '1' },
    });
    this.process = child;
    const home = await this.ready(child);
    this.home = this.proxy ? this.proxy.origin + this.basePath : home;
    this.origin = new URL(this.home).origin;
  }

  private ready(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const keep = (line: string) => (this.output += `${line}\n`);
      createInterface({ input: child.stderr! }).on('line', keep);
      createInterface({ input: child.stdout! }).on('line', (line) => {
        keep(line);
        const found = READY.exec(line);
        if (found) resolve(found[1]);
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`The server ended before it was ready (${code}):\n${this.output}`)));
    });
  }

  /** SIGKILL is the crash, SIGTERM the orderly end. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** A server that hangs: connections stand, and nothing answers. */
  hang(): void {
    this.process!.kill('SIGSTOP');
  }

  goOn(): void {
    this.process!.kill('SIGCONT');
  }

  /** What it has printed, for the report of a failed test. */
  printed(): string {
    return this.output;
  }
}

export function configuration(modelUrl: string, attempts: number): string {
  return `
[models.scripted]
provider = "openai_compatible"
model = "scripted-1"
base_url = "${modelUrl}"
roles = ["executor"]
tier = 1

[execution]
model_call_max_attempts = ${attempts}
`;
}
