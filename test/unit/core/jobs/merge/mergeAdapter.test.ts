import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../../../src/core/adapter/readAdapter.ts';
import { evaluateLoss } from '../../../../../src/core/infer/evaluateLoss.ts';
import { loadResidentModel } from '../../../../../src/core/infer/residentModel.ts';
import { mergeAdapter } from '../../../../../src/core/jobs/merge/mergeAdapter.ts';
import { openFolderModel } from '../../../../../src/core/models/openFolderModel.ts';
import { encodeExamples } from '../../../../../src/core/text/encodeExamples.ts';
import { createFolder, nodeFolderFileSystem } from '../../../../../src/core/train/stagedFolder.ts';
import { defaultHyperparameters } from '../../../../../src/shared/hyperparameters.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { loadTinyChatModel, writeTinyAdapter, writeTinyChatModel } from '../../../../support/tinyChatModel.ts';

const origin = { file: 'rows.jsonl', line: 1 };
const examples = ['one', 'two words', 'three words here'].map(question => ({
  kind: 'chat' as const,
  messages: [
    { role: 'user' as const, content: question },
    { role: 'assistant' as const, content: `${question}, answered` },
  ],
  origin,
}));
const settings = { ...defaultHyperparameters, contextTokens: 64, batchRows: 2, device: 'cpu' as const, threads: 1 };

describe('mergeAdapter', () => {
  it('gives a model whose loss is that of the base with the adapter', async () => {
    const folder = temporaryFolder();
    const path = writeTinyChatModel(join(folder, 'base'));
    const adapter = readAdapter(writeTinyAdapter(join(folder, 'adapter')));
    const opened = openFolderModel('tiny', path);
    const merged = join(folder, 'merged');
    createFolder(merged, mergeAdapter(opened, adapter), () => [], nodeFolderFileSystem);
    opened.close();
    const base = await loadTinyChatModel(path);
    const { rows } = encodeExamples(examples, { ...base, ...settings });
    const alone = await evaluateLoss(base, null, rows, settings);
    const tuned = await evaluateLoss(base, adapter, rows, settings);
    const reopened = openFolderModel('merged', merged);
    const whole = await evaluateLoss(await loadResidentModel(reopened), null, rows, settings);
    reopened.close();
    expect(Math.abs(tuned.evalLossNats - alone.evalLossNats)).toBeGreaterThan(0.01);
    expect(Math.abs(whole.evalLossNats - tuned.evalLossNats)).toBeLessThan(1e-5);
  });

  it('refuses an adapter of another model', () => {
    const folder = temporaryFolder();
    const opened = openFolderModel('other', writeTinyChatModel(join(folder, 'base'), { intermediate_size: 64 }));
    const adapter = readAdapter(writeTinyAdapter(join(folder, 'adapter')));
    expect(() => mergeAdapter(opened, adapter)).toThrow(/as in the base model/);
    opened.close();
  });
});
