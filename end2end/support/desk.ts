// What a person does at the page, the same with scripts and without.
import { expect, type Locator, type Page } from '@playwright/test';
import type { Cowork } from './server';
import type { Workspace } from './workspace';

interface NewSession {
  title?: string;
  model?: string;
  workspace?: string;
}

export class Desk {
  constructor(
    readonly page: Page,
    private readonly server: Cowork,
    private readonly workspace: Workspace,
    /** Whether the page comes to life. */
    readonly scripts: boolean,
  ) {}

  /** Another tab of the same person. */
  async newTab(): Promise<Desk> {
    return new Desk(await this.page.context().newPage(), this.server, this.workspace, this.scripts);
  }

  /** Opens an address and waits until the page is what it will be. */
  async open(path: string): Promise<void> {
    await this.page.goto(path.startsWith('/') ? this.server.home + path : new URL(path, this.server.origin).href);
    await this.alive();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.alive();
  }

  async alive(): Promise<void> {
    if (!this.scripts) return;
    await this.page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  }

  /** The page's connection to its session is up. */
  async live(): Promise<void> {
    if (this.scripts) await expect(this.link).toHaveText('Live');
  }

  /** With a password that Cowork keeps. */
  async signIn(name: string, password: string): Promise<void> {
    await this.page.goto(this.server.home);
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.alive();
  }

  /** Makes a session in the folder with the files and shows it. */
  async openSession(wanted: NewSession = {}): Promise<string> {
    const id = await this.createSession(wanted);
    await this.open(`/sessions/${id}`);
    await this.live();
    return id;
  }

  async createSession(wanted: NewSession = {}): Promise<string> {
    const body = { workspace: this.workspace.folder, ...wanted };
    const answer = await this.page.request.post(`${this.server.home}/cowork/sessions`, {
      data: body,
      headers: { origin: this.server.origin },
    });
    expect(answer.status(), await answer.text()).toBe(201);
    return (await answer.json()).id;
  }

  async setMode(id: string, mode: string): Promise<void> {
    const address = `${this.server.home}/cowork/sessions/${id}`;
    const answer = await this.page.request.patch(address, { data: { mode }, headers: { origin: this.server.origin } });
    expect(answer.status(), await answer.text()).toBe(200);
  }

  /** On a phone one zone is seen at a time; elsewhere each is in sight. */
  async show(zone: 'Chat' | 'Files' | 'Logs'): Promise<void> {
    const tabs = this.page.getByRole('navigation', { name: 'Views' });
    if (await tabs.isVisible()) await tabs.getByRole('button', { name: new RegExp(`^${zone}`) }).tap();
  }

  /** Says something without a page; it may wait for its turn. */
  async send(id: string, message: string): Promise<void> {
    const address = `${this.server.home}/cowork/sessions/${id}/messages`;
    const answer = await this.page.request.post(address, { data: { message }, headers: { origin: this.server.origin }, maxRetries: 2 });
    expect(answer.status(), await answer.text()).toBe(202);
  }

  async say(message: string): Promise<void> {
    await this.composer.fill(message);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  /** Says something and waits for the end of the turn. */
  async ask(message: string): Promise<void> {
    const before = await this.turns.count();
    await this.say(message);
    if (!this.scripts) return this.showFinished();
    await expect(this.turns).toHaveCount(before + 1);
    await expect(this.page.locator('.turn[data-running]')).toHaveCount(0);
  }

  /** Without scripts a person waits at the frame, which says when the turn has ended. */
  async showFinished(): Promise<void> {
    const id = this.sessionId();
    await expect.poll(async () => (await this.session(id)).status).toBe('idle');
    await this.page.goto(`${this.server.home}/sessions/${id}`);
  }

  /** Waits for a card that asks for a word, and gives it. Without scripts a person loads the page again. */
  async waiting(): Promise<Locator> {
    const id = this.sessionId();
    await expect.poll(async () => (await this.session(id)).status).toMatch(/^awaiting/);
    if (!this.scripts) await this.page.goto(`${this.server.home}/sessions/${id}`);
    await expect(this.asks.first()).toBeVisible();
    return this.asks.first();
  }

  /** Waits for the end of a turn that goes on after a word. */
  async finished(): Promise<void> {
    if (!this.scripts) return this.showFinished();
    await expect(this.page.locator('.turn[data-running]')).toHaveCount(0);
  }

  sessionId(): string {
    return /\/sessions\/([0-9a-f]{32})/.exec(new URL(this.page.url()).pathname)![1];
  }

  async session(id: string): Promise<{ status: string; title: string; archived: boolean; turn_count: number }> {
    return this.get(`/cowork/sessions/${id}`);
  }

  /** The types of the session's events so far. */
  async events(id: string): Promise<string[]> {
    const { events } = await this.get(`/cowork/sessions/${id}/logs?limit=1000`);
    return events.map((event: { event_type: string }) => event.event_type);
  }

  /** Once more where the connection was closed for having been idle, as browsers do. */
  private async get(path: string) {
    return (await this.page.request.get(this.server.home + path, { maxRetries: 2 })).json();
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }
  get link(): Locator {
    return this.page.locator('.link-text');
  }
  get turns(): Locator {
    return this.page.locator('.turn');
  }
  get lastTurn(): Locator {
    return this.turns.last();
  }
  /** Cards that ask for a word. */
  get asks(): Locator {
    return this.page.locator('.ask');
  }
  get stop(): Locator {
    return this.page.getByRole('button', { name: 'Stop', exact: true });
  }
  /** Rows of the logs panel of one event type. */
  logs(type: string): Locator {
    return this.page.locator(`.log-row[data-type="${type}"]`);
  }
}
