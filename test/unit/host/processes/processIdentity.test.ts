import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endProcessTree } from '../../../../src/host/processes/endProcessTree.ts';
import { ProcessVerifier, readProcessStartTime } from '../../../../src/host/processes/processIdentity.ts';
import type { RegistryEntry } from '../../../../src/shared/processRegistry.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

describe('ProcessVerifier', () => {
  const folder = useTemporaryFolder();

  async function enter(changes: Partial<RegistryEntry> = {}) {
    const run = join(folder(), 'run');
    const registry = join(folder(), 'processes');
    mkdirSync(run, { recursive: true });
    mkdirSync(registry, { recursive: true });
    const startTime = await readProcessStartTime(process.pid);
    const identity = { pid: process.pid, startTime: startTime!, nonce: '1'.repeat(32) };
    const entry: RegistryEntry = { ...identity, kind: 'trainer', run, createdAt: '', ...changes };
    writeFileSync(join(registry, `${identity.nonce}.json`), JSON.stringify(entry));
    return { run, identity, verifier: new ProcessVerifier(registry) };
  }

  it('confirms a living process that is entered with this run', async () => {
    const { run, identity, verifier } = await enter();
    expect(await verifier.isAlive(run, identity)).toBe(true);
    expect(await verifier.isOurs(run, identity)).toBe(true);
  });

  it('confirms a run folder that is reached through a link', async () => {
    const { run, identity, verifier } = await enter();
    symlinkSync(run, join(folder(), 'link'));
    expect(await verifier.isOurs(join(folder(), 'link'), identity)).toBe(true);
  });

  it.each([
    ['another pid', { pid: 1 }],
    ['another start time', { startTime: '1' }],
    ['another nonce', { nonce: '2'.repeat(32) }],
    ['another run', { run: '/elsewhere' }],
  ])('does not confirm a process that is entered with %s', async (_, changes) => {
    const { run, identity, verifier } = await enter(changes);
    expect(await verifier.isOurs(run, identity)).toBe(false);
  });

  it('does not confirm a pid that is used by another process now', async () => {
    const { run, identity } = await enter({ startTime: '7' });
    const verifier = new ProcessVerifier(join(folder(), 'processes'), async () => '8');
    expect(await verifier.isOurs(run, { ...identity, startTime: '7' })).toBe(false);
  });

  it("does not signal a stranger's process that a status names", async () => {
    const { run, identity } = await enter();
    const verifier = new ProcessVerifier(join(folder(), 'no-registry'));
    expect(await endProcessTree(run, identity, verifier)).toBe(false);
  });

  it('asks the operating system again before a signal, whatever it remembers', async () => {
    const { run, identity } = await enter();
    let asked = 0;
    const read = async () => (asked++ === 0 ? identity.startTime : undefined);
    const verifier = new ProcessVerifier(join(folder(), 'processes'), read, () => 0, 60_000);
    expect(await verifier.isAlive(run, identity)).toBe(true);
    expect(await verifier.isAlive(run, identity)).toBe(true);
    expect(asked).toBe(1);
    expect(await verifier.isOurs(run, identity)).toBe(false);
  });
});
