import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AdamW } from '../../../../src/core/optim/adamW.ts';
import { checkpointFiles, readCheckpoint } from '../../../../src/core/train/checkpoint.ts';
import { CheckpointFolder } from '../../../../src/core/train/checkpointFolder.ts';
import { freshTrainState, type TrainState } from '../../../../src/core/train/trainState.ts';
import { createBigramEngine, seededRandom } from '../../../support/bigramEngine.ts';
import { failingWrites, Killed, killedAt, tornAt } from '../../../support/faultyFileSystem.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Parameters and moments that differ for each step. */
function contentsAt(step: number, more: Partial<TrainState> = {}) {
  const { parameters } = createBigramEngine(5);
  const optimizer = new AdamW(parameters, settings);
  const random = seededRandom(step);
  for (const { gradient } of parameters) gradient.set(gradient.map(() => random() - 0.5));
  optimizer.update(1, 0.1, 1);
  return { parameters, moments: optimizer.moments, state: { ...freshTrainState, step, ...more } };
}

function emptyContents() {
  const { parameters } = createBigramEngine(5);
  return { parameters, moments: new AdamW(parameters, settings).moments };
}

const neverBroken = (_: unknown, problem: string) => expect.unreachable(problem);

describe('CheckpointFolder', () => {
  it('gives back parameters, both moments and the state bit for bit', () => {
    const folder = new CheckpointFolder(join(temporaryFolder(), 'checkpoints'));
    const saved = contentsAt(7, { evaluatedStep: 6, bestStep: 6, bestEvalLossNats: 0.1 + 0.2, elapsedMs: 12.5 });
    const { path } = folder.save(saved, 2);
    const target = emptyContents();
    expect(readCheckpoint(path, target)).toEqual(saved.state);
    expect(target.parameters.map(p => p.value)).toEqual(saved.parameters.map(p => p.value));
    expect(target.moments).toEqual(saved.moments);
    expect(path).toMatch(/checkpoints\/step-000007$/);
  });

  it('keeps the newest and the best', () => {
    const root = join(temporaryFolder(), 'checkpoints');
    const folder = new CheckpointFolder(root);
    for (const step of [1, 2, 3, 4, 5]) folder.save(contentsAt(step, { bestStep: step < 2 ? null : 2 }), 2);
    expect(readdirSync(root)).toEqual(['step-000002', 'step-000004', 'step-000005']);
  });

  it('loses no finished checkpoint and shows no half-written one, whenever it is killed', () => {
    for (const kill of [killedAt, tornAt]) {
      let at = 0;
      for (let finished = false; !finished; at++) {
        const root = join(temporaryFolder(), `checkpoints-${at}`);
        new CheckpointFolder(root).save(contentsAt(1), 2);
        new CheckpointFolder(root).save(contentsAt(2), 2);
        try {
          new CheckpointFolder(root, kill(at)).save(contentsAt(3), 2);
          finished = true;
        } catch (error) {
          expect(error instanceof Killed).toBe(true);
        }
        const folder = new CheckpointFolder(root);
        const newest = folder.findNewest(neverBroken);
        expect(newest?.step).toBeGreaterThanOrEqual(2);
        const target = emptyContents();
        expect(readCheckpoint(newest!.path, target).step).toBe(newest!.step);
        expect(target.moments).toEqual(contentsAt(newest!.step).moments);
        folder.tidy();
        expect(readdirSync(root).every(name => /^step-00000[123]$/.test(name))).toBe(true);
        folder.save(contentsAt(3), 2);
        expect(readdirSync(root)).toEqual(['step-000002', 'step-000003']);
      }
      expect(at).toBeGreaterThan(20);
    }
  });

  it('keeps the finished ones and leaves nothing half-written when the disk is full', () => {
    const root = join(temporaryFolder(), 'checkpoints');
    new CheckpointFolder(root).save(contentsAt(1), 1);
    const save = () => new CheckpointFolder(root, failingWrites(2, 'ENOSPC')).save(contentsAt(2), 1);
    expect(save).toThrow(expect.objectContaining({ code: 'disk-full' }));
    expect(readdirSync(root)).toEqual(['step-000001']);
  });

  it.each(Object.values(checkpointFiles))('passes over a checkpoint whose %s was cut or altered', name => {
    const root = join(temporaryFolder(), 'checkpoints');
    const folder = new CheckpointFolder(root);
    for (const step of [1, 2, 3]) folder.save(contentsAt(step), 3);
    const cut = join(root, 'step-000003', name);
    truncateSync(cut, statSync(cut).size - 1);
    const altered = join(root, 'step-000002', name);
    const content = readFileSync(altered);
    content[content.length - 3]! ^= 1;
    writeFileSync(altered, content);
    const broken: number[] = [];
    expect(folder.findNewest(c => broken.push(c.step))?.step).toBe(1);
    expect(broken).toEqual([3, 2]);
  });

  it('writes a broken checkpoint of the same step anew', () => {
    const root = join(temporaryFolder(), 'checkpoints');
    const folder = new CheckpointFolder(root);
    folder.save(contentsAt(1), 2);
    truncateSync(join(root, 'step-000001', checkpointFiles.moments), 5);
    folder.save(contentsAt(1), 2);
    expect(folder.findNewest(neverBroken)?.step).toBe(1);
  });

  it('is empty where nothing was saved', () => {
    const root = join(temporaryFolder(), 'checkpoints');
    expect(new CheckpointFolder(root).findNewest(neverBroken)).toBeUndefined();
    expect(existsSync(root)).toBe(false);
  });
});

describe('readCheckpoint', () => {
  it('refuses a checkpoint of another recipe by the tensor that differs', () => {
    const { path } = new CheckpointFolder(join(temporaryFolder(), 'checkpoints')).save(contentsAt(1), 2);
    const { parameters } = createBigramEngine(6);
    const target = { parameters, moments: new AdamW(parameters, settings).moments };
    expect(() => readCheckpoint(path, target)).toThrow(
      expect.objectContaining({
        code: 'checkpoint-invalid',
        message: expect.stringContaining('table of shape [6, 6], got [5, 5]'),
      }),
    );
  });
});
