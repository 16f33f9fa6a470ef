import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DatasetFreshness } from '../../../../src/host/runs/datasetFreshness.ts';
import type { DatasetReference } from '../../../../src/shared/recipe.ts';
import { makeRecord } from '../runFixture.ts';
import { useTemporaryFolder } from '../temporaryFolder.ts';

describe('DatasetFreshness', () => {
  const folder = useTemporaryFolder();
  const opened: DatasetFreshness[] = [];
  afterEach(() => {
    for (const one of opened.splice(0)) one.dispose();
  });

  function open(content: string) {
    const path = join(folder(), 'train.jsonl');
    writeFileSync(path, content);
    const freshness = new DatasetFreshness(
      () => [folder()],
      error => {
        throw error;
      },
    );
    opened.push(freshness);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const dataset: DatasetReference = { ...makeRecord('r').datasets[0]!, path, sha256 };
    const nextChange = () => new Promise<string>(resolve => freshness.onDidChange(resolve));
    return { path, freshness, dataset, nextChange };
  }

  it('knows nothing at first, then that the file is the same, then that it changed', async () => {
    const { path, freshness, dataset, nextChange } = open('one\n');
    const first = nextChange();
    expect(freshness.hasChanged(dataset)).toBeUndefined();
    expect(await first).toBe(path);
    expect(freshness.hasChanged(dataset)).toBe(false);
    const second = nextChange();
    // The watcher needs a moment to be on the file: written until it is seen.
    const writing = setInterval(() => writeFileSync(path, 'two\n'), 500);
    await second;
    clearInterval(writing);
    expect(freshness.hasChanged(dataset)).toBe(true);
  });

  it('takes a file that is gone for changed', async () => {
    const { path, freshness, dataset, nextChange } = open('one\n');
    rmSync(path);
    const change = nextChange();
    freshness.hasChanged(dataset);
    await change;
    expect(freshness.hasChanged(dataset)).toBe(true);
  });

  it('does not touch network shares and relative paths that a run folder names', () => {
    const { freshness, dataset } = open('one\n');
    for (const path of ['\\\\stranger\\share\\x.jsonl', '//stranger/share/x.jsonl', 'train.jsonl']) {
      expect(freshness.hasChanged({ ...dataset, path })).toBeUndefined();
    }
    expect(freshness.isForeignShare('//stranger/share/x.jsonl')).toBe(true);
    for (const name of ['/data/x.jsonl', 'C:\\data\\x.jsonl', 'owner/model']) {
      expect(freshness.isForeignShare(name)).toBe(false);
    }
  });
});
