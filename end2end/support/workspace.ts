// The folder that a test works in: real files in a temporary place.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const FILES: Record<string, string> = {
  'q1-close/notes.txt': 'Call ACME about the March invoice.\nBook the room for the review.\n',
  'q1-close/ledger-march.csv': 'date,party,amount\n2026-03-02,ACME,1200.00\n2026-03-09,Globex,310.50\n2026-03-30,Initech,99.95\n',
  'q1-close/invoices/acme-0231.txt': 'Invoice 0231\nACME Ltd\nTotal 1200.00\n',
  'q1-close/invoices/globex-0232.txt': 'Invoice 0232\nGlobex\nTotal 310.50\n',
};

export class Workspace {
  /** Holds everything of the test: the shared files, the database, the configuration. */
  readonly home = mkdtempSync(join(tmpdir(), 'cowork-e2e-'));
  /** Where sessions may work. */
  readonly root = join(this.home, 'shared');
  /** The folder with the files. */
  readonly folder = join(this.root, 'q1-close');

  constructor() {
    for (const [path, text] of Object.entries(FILES)) {
      const file = join(this.root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  exists(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  bytes(path: string): Buffer {
    return readFileSync(join(this.folder, path));
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
