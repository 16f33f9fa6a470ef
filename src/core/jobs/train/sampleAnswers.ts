/**
 * @file The fixed prompts of a run and a model in training -> its greedy answers as they are now. Decoding reads the very
 * arrays that training changes: no second copy of the weights.
 */
import { combinePairs, listTrainedPairs } from '../../adapter/trainedPairs.ts';
import { type AdapterInputs, makeAdapterInputs } from '../../infer/adapterInputs.ts';
import { DecodingSession } from '../../infer/decodingSession.ts';
import { askQuestion } from '../../infer/encodePrompt.ts';
import { generateText } from '../../infer/generateText.ts';
import type { ParameterInfo } from '../../models/architecture.ts';
import { readParameterTensor } from '../../models/parameterTensors.ts';
import { countAnswerableTokens } from '../../models/ropeInputs.ts';
import { withEvaluationForms } from '../../models/weightForm.ts';
import { sampleAnswerTokens } from '../../train/forecastMemory.ts';
import type { TrainingEngine } from '../../train/trainingEngine.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';

const greedy = { maxTokens: sampleAnswerTokens, temperature: 0, topP: 1, seed: 0 };
export class SampleAnswers {
  private readonly prepared: PreparedRun;
  private readonly engine: TrainingEngine;
  private session: DecodingSession | undefined;

  constructor(prepared: PreparedRun, engine: TrainingEngine) {
    this.prepared = prepared;
    this.engine = engine;
  }

  /** The answer, or what there is of it when cancelled. */
  async answer(prompt: string, signal: AbortSignal): Promise<string> {
    this.session ??= await this.openSession();
    const adapter = this.readAdapter(this.session);
    const { text } = await generateText(this.session, {
      messages: askQuestion(prompt),
      adapter,
      settings: greedy,
      signal,
    });
    return text;
  }

  async release(): Promise<void> {
    await this.session?.release();
  }

  private openSession(): Promise<DecodingSession> {
    const { record, architecture, sides } = this.prepared;
    const { weights, model } = this.engine;
    if (weights === undefined || model === undefined)
      throw new Error('internal: samples: expected an engine that shows its weights, got none');
    const { threads } = record.hyperparameters;
    const resident = {
      id: record.model.id,
      path: record.model.path,
      model: withEvaluationForms(model),
      tokenizer: sides.tokenizer,
      template: sides.template,
      contextTokens: countAnswerableTokens(architecture.config),
      weights,
    };
    return DecodingSession.create(resident, { threads: threads ?? 0 });
  }

  /** The adapter as it is at this step: A is read where it stands, B with the scale multiplied in. */
  private readAdapter({ baseInputs, resident }: DecodingSession): AdapterInputs {
    const { record, start } = this.prepared;
    const { hyperparameters } = record;
    if (hyperparameters.method === 'full') return baseInputs;
    const trained = listTrainedPairs(this.engine.parameters, hyperparameters);
    const pairs = combinePairs(trained, start?.stacked ?? []);
    // What is trained whole is among the weights that are read.
    const adapter = { path: 'adapter in training', baseModel: null, pairs, saved: [], coversAllLayers: false };
    const { model } = this.prepared;
    const readFloats = (weight: ParameterInfo): Float32Array => readParameterTensor(model.weights, weight);
    return makeAdapterInputs(resident.model, adapter, { ...resident, readFloats });
  }
}
