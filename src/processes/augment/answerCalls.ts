/** @file The augment process's answers: new rows by a teacher, a dataset's drift, and the request of a run that goes on. */
import { rmSync } from 'node:fs';
import { estimateTokens } from '../../core/data/documents/chunkDocument.ts';
import { ModelPool } from '../../core/infer/modelPool.ts';
import { augmentDataset, partialPath } from '../../core/jobs/augment/augmentDataset.ts';
import { continueRequest } from '../../core/jobs/drift/continueRequest.ts';
import { findDrift } from '../../core/jobs/drift/findDrift.ts';
import { readRecord } from '../../core/runs/runFiles.ts';
import { ChatEndpoint, defaultEndpointOptions } from '../../core/teachers/endpoint/chatEndpoint.ts';
import { EndpointTeacher } from '../../core/teachers/endpointTeacher.ts';
import { LocalTeacher } from '../../core/teachers/localTeacher.ts';
import type { Teacher } from '../../core/teachers/teacher.ts';
import type { AugmentCalls, AugmentOrder } from '../../shared/augmentProtocol.ts';
import { TuneError } from '../../shared/errors.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import { defaultHyperparameters } from '../../shared/hyperparameters.ts';
import type { DecodingSettings } from '../../shared/inferenceProtocol.ts';
import type { Handlers } from '../../shared/rpc.ts';
import { type AskEditor, EditorTeacher } from './editorTeacher.ts';

const decoding: DecodingSettings = { maxTokens: 1024, temperature: 0, topP: 1, seed: 42 };
const similarity = 0.9;
const driftSample = 500;
const permutations = 999;

export function answerCalls(
  tinyFolder: string,
  ask: AskEditor,
  onProgress: (done: number, total: number) => void,
): Handlers<AugmentCalls> {
  let hub: HubSettings | undefined;
  const openPool = (weights?: 'float') =>
    new ModelPool({
      ...(weights === undefined ? {} : { weights }),
      models: {
        tinyFolder,
        get hub() {
          return { settings: hub };
        },
      },
      onProgress: () => undefined,
    });
  return {
    'hub/configure': async settings => {
      hub = settings;
      return null;
    },
    'augment/run': async (order, signal) => {
      const { evalRatio, testRatio, seed, maxSyntheticShare } = defaultHyperparameters;
      const { dataset, documents, recipe, rows, out, isPreview } = order;
      const split = { seed, evalRatio, testRatio };
      return augmentDataset(
        {
          dataset,
          documents,
          mapping: null,
          skipBrokenRows: true,
          choice: { recipe, rows, maxSyntheticShare, similarity, seed, split, decoding },
          tokenizer: { name: 'estimate', countTokens: estimateTokens },
          out,
          onlyNew: false,
          isPreview,
          onProgress,
          onProblem: () => undefined,
          signal,
        },
        order.teacher.kind === 'none' ? undefined : () => openTeacher(order, ask, openPool, signal),
      );
    },
    'augment/discard': async ({ out }) => {
      rmSync(partialPath(out), { force: true });
      return null;
    },
    'drift/measure': async ({ dataset, run }, signal) => {
      const pool = openPool('float');
      try {
        return await findDrift({
          dataset,
          run,
          pool,
          measuresTopics: true,
          measuresLoss: true,
          sampleRows: driftSample,
          permutations,
          seed: defaultHyperparameters.seed,
          onProgress: () => undefined,
          signal,
        });
      } finally {
        await pool.release();
      }
    },
    'drift/request': async ({ run, name }) => {
      const record = readRecord(run);
      if (record !== undefined) return continueRequest(run, record, name);
      throw new TuneError('run-invalid', `${run}: expected a run with a recipe (run.json), got one without`, {
        file: run,
      });
    },
  };
}

async function openTeacher(
  { teacher }: AugmentOrder,
  ask: AskEditor,
  openPool: () => ModelPool,
  signal: AbortSignal,
): Promise<Teacher> {
  switch (teacher.kind) {
    case 'editor':
      return new EditorTeacher(teacher.id, teacher.name, ask);
    case 'endpoint': {
      const { baseUrl, model, apiKey } = teacher;
      const address = { baseUrl, model, apiKey: apiKey ?? undefined };
      return new EndpointTeacher(new ChatEndpoint(address, defaultEndpointOptions), decoding);
    }
    case 'local': {
      const pool = openPool();
      try {
        const attached = await pool.attach(teacher.model, teacher.adapter, signal);
        return new LocalTeacher(teacher.name, attached, decoding, () => pool.release());
      } catch (error) {
        await pool.release();
        throw error;
      }
    }
    case 'none':
      throw new Error('internal: augmentation: expected a teacher, got none');
  }
}
