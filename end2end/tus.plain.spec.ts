// A standard tus client, unchanged: what it sends arrives whole, also over a server that crashed in between.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Upload } from 'tus-js-client';
import type { Cowork } from './support/server';
import { expect, test } from './support/test';

const PIECE = 256 * 1024;

async function session(server: Cowork, workspace: string): Promise<string> {
  const created = await fetch(`${server.home}/cowork/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...server.credential() },
    body: JSON.stringify({ workspace }),
  });
  return ((await created.json()) as { id: string }).id;
}

test('tus-js-client goes on after the server was killed in the middle of an upload', async ({ server, workspace }) => {
  const id = await session(server, workspace.folder);
  const file = randomBytes(8 * PIECE + 123);
  let pieces = 0;
  let crashed: Promise<void> | undefined;
  const crash = async () => {
    await server.end('SIGKILL');
    await server.start();
  };

  const address = await new Promise<string>((resolve, reject) => {
    const upload: Upload = new Upload(file, {
      headers: server.credential(),
      endpoint: `${server.home}/cowork/sessions/${id}/uploads/tus`,
      metadata: { filename: 'big/überall.bin', target_dir: 'incoming' },
      chunkSize: PIECE,
      retryDelays: Array<number>(50).fill(200),
      onChunkComplete: () => {
        pieces += 1;
        if (pieces === 3) crashed = crash();
      },
      onSuccess: () => resolve(upload.url!),
      onError: reject,
    });
    upload.start();
  });
  await crashed;

  expect(crashed, 'the server was killed meanwhile').toBeDefined();
  expect(readFileSync(join(workspace.folder, 'incoming/big/überall.bin')).equals(file)).toBe(true);
  const told = (await (await fetch(address, { headers: server.credential() })).json()) as { result: { status: string; sha256: string } };
  expect(told.result.status).toBe('uploaded');
  expect(told.result.sha256).toBe(createHash('sha256').update(file).digest('hex'));
});

test('tus-js-client brings the first bytes with the creation, and the others by POST', async ({ server, workspace }) => {
  const id = await session(server, workspace.folder);
  const file = randomBytes(3 * PIECE);
  const methods: string[] = [];
  await new Promise<void>((resolve, reject) => {
    new Upload(file, {
      headers: server.credential(),
      endpoint: `${server.home}/cowork/sessions/${id}/uploads/tus`,
      metadata: { filename: 'by-post.bin' },
      chunkSize: PIECE,
      uploadDataDuringCreation: true,
      overridePatchMethod: true,
      onBeforeRequest: (request) => void methods.push(request.getMethod()),
      onSuccess: () => resolve(),
      onError: reject,
    }).start();
  });
  expect(methods).toEqual(['POST', 'POST', 'POST']);
  expect(readFileSync(join(workspace.folder, 'by-post.bin')).equals(file)).toBe(true);
});

test('tus-js-client is told why a name can not be used', async ({ server, workspace }) => {
  const id = await session(server, workspace.folder);
  const refused = await new Promise<string>((resolve, reject) => {
    new Upload(Buffer.from('x'), {
      headers: server.credential(),
      endpoint: `${server.home}/cowork/sessions/${id}/uploads/tus`,
      metadata: { filename: '../escape.txt' },
      retryDelays: null,
      onSuccess: () => reject(new Error('it was taken')),
      onError: (error) => resolve(error.message),
    }).start();
  });
  expect(refused).toContain('path_outside_workspace');
});
