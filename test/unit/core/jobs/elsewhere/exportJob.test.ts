import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../../../../src/core/formats/safetensors.ts';
import { exportJob } from '../../../../../src/core/jobs/elsewhere/exportJob.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { writeTinyModel } from '../../../../support/tinyModel.ts';
import { tinyRequest } from '../../../../support/tinyRequest.ts';

describe('exportJob', () => {
  it('asks the teacher of a distillation here and puts what it says into the plan', async () => {
    const folder = temporaryFolder();
    const engineFolder = join(folder, 'engine');
    mkdirSync(engineFolder);
    writeFileSync(join(engineFolder, 'engine.py'), '');
    const teacher = writeTinyModel(join(folder, 'teacher'), { seed: 9, layers: 1 });
    const out = join(folder, 'job');
    const phases = new Set<string>();
    const { run } = await exportJob({
      request: { ...tinyRequest(folder, { objective: 'distill', distillTopK: 8 }), teacher },
      out,
      shape: {
        nodes: 1,
        gpus: 0,
        gpuName: 'H100',
        timeLimit: '1:00:00',
        partition: undefined,
        account: undefined,
        build: 'cpu',
      },
      copiesModel: false,
      engineFolder,
      weightCache: { folder: join(folder, 'cache'), budgetBytes: 1e9 },
      check: {
        tinyFolder: folder,
        hub: undefined,
        control: { ask: () => 'continue' },
        onPhase: name => phases.add(name),
      },
    });
    expect(phases).toContain('asking the teacher');
    const { tensors } = openSafetensors(join(run, 'cache', 'pytorch', 'plan.safetensors'));
    const taught = tensors.names.filter(name => /teacher/i.test(name));
    expect(taught.length).toBeGreaterThan(0);
    for (const name of taught) expect(tensors.info(name).shape[1]).toBe(8);
    tensors.close();
    expect(existsSync(join(out, 'train.sh'))).toBe(true);
  });
});
