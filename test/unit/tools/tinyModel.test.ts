import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../../src/core/models/openModel.ts';
import { listTextFiles, makeTinyStart, writeCorpus, writeInitialModel } from '../../../src/tools/tinyModel.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const shipped = fileURLToPath(new URL('../../../media/tiny', import.meta.url));
const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('the start of the tiny model', () => {
  it('is the same bytes on every machine', () => {
    const folder = temporaryFolder();
    const start = makeTinyStart(2000);
    writeInitialModel(folder, start);
    writeCorpus(join(folder, 'corpus.jsonl'), start);
    const names = ['corpus.jsonl', 'model.safetensors', 'tokenizer.json', 'config.json'];
    expect(Object.fromEntries(names.map(name => [name, hash(join(folder, name)).slice(0, 16)]))).toMatchInlineSnapshot(`
      {
        "config.json": "38ba42d18b0e4ffa",
        "corpus.jsonl": "b8442c25898b6f19",
        "model.safetensors": "d5365666140b4090",
        "tokenizer.json": "e42ff8f818e04baf",
      }
    `);
  });

  it('gives the tokenizer and the configuration that ship', () => {
    const start = makeTinyStart();
    const files = listTextFiles({ ...start, config: { ...start.config, dtype: 'float16' } });
    expect(files.map(([name]) => name)).toContain('tokenizer.json');
    for (const [name, text] of files) expect(readFileSync(join(shipped, name), 'utf8')).toBe(text);
  });
});

describe('media/tiny', () => {
  it('takes at most 4 MB and carries its licence', () => {
    const bytes = readdirSync(shipped).reduce((sum, name) => sum + statSync(join(shipped, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(4_000_000);
    expect(readFileSync(join(shipped, 'README.md'), 'utf8')).toContain('license: apache-2.0');
  });

  it('opens as the model "tiny", with every weight finite and in half precision', async () => {
    const model = await openModel('tiny', { tinyFolder: shipped });
    try {
      expect(model.tokenizer.tokenizerConfig.chat_template).toContain('{% generation %}');
      expect(model.weights.names.length).toBeGreaterThan(30);
      for (const name of model.weights.names) {
        expect(model.weights.info(name).dtype).toBe('F16');
        expect(model.weights.readFloat32(name).every(Number.isFinite)).toBe(true);
      }
    } finally {
      model.close();
    }
  });
});
