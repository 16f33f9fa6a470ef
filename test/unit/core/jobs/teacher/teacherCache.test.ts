import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TeacherCache } from '../../../../../src/core/jobs/teacher/teacherCache.ts';
import type { EncodedRow, PackedBatch, TeacherTokens } from '../../../../../src/core/text/packedBatch.ts';
import { buildBatch } from '../../../../../src/core/text/packRows.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const topK = 3;
const rows = [3, 5, 2, 4].map(
  (length, row): EncodedRow => ({
    row,
    tokenIds: Int32Array.from({ length }, (_, i) => 10 * row + i),
    supervised: Uint8Array.from({ length }, (_, i) => Number(i > 0)),
  }),
);
const batches = [buildBatch(rows, [[0], [1]], 16, 0), buildBatch(rows, [[2, 3]], 16, 0)];

/** Tells every label apart. */
function sayOf({ labels }: PackedBatch): TeacherTokens {
  const ids = Int32Array.from(
    { length: labels.length * topK },
    (_, i) => 100 * labels[Math.floor(i / topK)]! + (i % topK),
  );
  return { topK, ids, logProbabilities: Float32Array.from(ids, id => -id / 7) };
}

function makeCache(file = join(temporaryFolder(), 'cache', 'teacher.bin')) {
  return { file, cache: new TeacherCache(file, topK, batches) };
}

describe('TeacherCache', () => {
  it('gives back what was said of each label, in whatever order rows are packed', () => {
    const { cache } = makeCache();
    for (const batch of batches) cache.append(batch, sayOf(batch));
    expect(cache.countWhole()).toBe(2);
    const mixed = buildBatch(rows, [[3], [1, 0]], 16, 0);
    expect(cache.complete(mixed).teacher).toEqual(sayOf(mixed));
  });

  it('goes on behind the last whole batch when a write was cut', () => {
    const { cache, file } = makeCache();
    expect(cache.countWhole()).toBe(0);
    for (const batch of batches) cache.append(batch, sayOf(batch));
    const whole = readFileSync(file);
    truncateSync(file, whole.length - 5);
    const again = makeCache(file).cache;
    expect(again.countWhole()).toBe(1);
    again.append(batches[1]!, sayOf(batches[1]!));
    expect(readFileSync(file)).toEqual(whole);
    writeFileSync(file, whole.subarray(0, 9));
    expect(again.countWhole()).toBe(0);
  });

  it('says so when the file is cut or gone while it is read', () => {
    const { cache, file } = makeCache();
    for (const batch of batches) cache.append(batch, sayOf(batch));
    truncateSync(file, 100);
    expect(() => cache.complete(batches[1]!)).toThrow(/expected what the teacher said of every row, got fewer bytes/);
    rmSync(file);
    expect(() => cache.complete(batches[0]!)).toThrow(/got ENOENT/);
  });
});
