import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyBatch } from './tinyBatch.ts';
import { openTinyEngine } from './tinyEngine.ts';

/** What a session of the engine has in use at most, of all its sessions the largest; read from ONNX Runtime's profiles. */
async function findPeakInUse(contextTokens: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tuning-fork-long-'));
  try {
    const engine = await openTinyEngine(
      { shape: 'layered', contextTokens, batchRows: 1, profilePrefix: join(folder, 'profile') },
      { max_position_embeddings: contextTokens, num_hidden_layers: 1 },
    );
    await engine.accumulate(makeTinyBatch(5, [{ segments: [contextTokens] }], contextTokens), 1);
    await engine.dispose();
    const events = readdirSync(folder).flatMap(
      name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { args?: { mem_bytes_in_use?: string } }[],
    );
    const inUse = events.flatMap(({ args }) => (args?.mem_bytes_in_use === undefined ? [] : [+args.mem_bytes_in_use]));
    expect(inUse.length).toBeGreaterThan(100);
    return inUse.reduce((most, bytes) => Math.max(most, bytes), 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a long context', () => {
  it('layer by layer takes memory in proportion to its length: the scores of one block of queries at a time', async () => {
    const short = await findPeakInUse(2048);
    const long = await findPeakInUse(4096);
    expect(long / short).toBeLessThan(2.3);
  }, 60_000);
});
