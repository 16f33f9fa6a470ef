import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { findVscode } from '../../src/tools/vscode.mjs';
import { startServer } from '../../src/tools/vscodeServer.mjs';

describe('startServer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-server-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

  it('lets in only who has the token, and has ended when stop returns', async () => {
    const server = await startServer({ vscode: findVscode()!, folder, token: 'secret' });
    onTestFinished(() => server.stop());
    const address = `http://127.0.0.1:${server.port}/`;
    expect((await fetch(address)).status).toBe(403);
    expect((await fetch(`${address}?tkn=wrong`)).status).toBe(403);
    const welcome = await fetch(`${address}?tkn=secret`, { redirect: 'manual' });
    expect(welcome.status).toBe(302);
    const cookie = welcome.headers.get('set-cookie')!.split(';')[0]!;
    expect((await fetch(address, { headers: { cookie } })).status).toBe(200);
    await server.stop();
    await expect(fetch(address)).rejects.toThrow();
  });

  it('says what the server said when it cannot start', async () => {
    const vscode = { ...findVscode()!, folder: join(folder, 'nowhere') };
    await expect(startServer({ vscode, folder })).rejects.toThrow(/did not start:\n.*nowhere/s);
  });
});
