/**
 * @file A prepared run -> everything that Python needs of it beside run.json, under the run's cache: the plan of tokens, start
 * values, and all files of the output but its weights. Rebuilt from the recipe whenever the run goes on.
 */
import { join } from 'node:path';
import { runNames } from '../../../shared/runFolder.ts';
import { writeModelCard } from '../../adapter/modelCard.ts';
import { outputFiles } from '../../adapter/outputFolder.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { toWriteError, writeStagedFile } from '../../formats/stagedFile.ts';
import { writeSafetensors } from '../../formats/writeSafetensors.ts';
import { askQuestion, encodePrompt } from '../../infer/encodePrompt.ts';
import { chooseTrainable, expandLayers } from '../../models/chooseTrainable.ts';
import { planRanks } from '../../optim/rankBudget.ts';
import { readNotes } from '../../runs/runFiles.ts';
import { sampleAnswerTokens } from '../../train/forecastMemory.ts';
import type { FileToWrite } from '../../train/stagedFolder.ts';
import { planTraining } from '../../train/trainPlan.ts';
import { freshTrainState } from '../../train/trainState.ts';
import type { PreparedRun } from '../prepare/prepareRun.ts';
import { openTeacherCache } from '../teacher/teacherPass.ts';
import { planTensors } from './planTensors.ts';
import { stackedTensors } from './stackedTensors.ts';
import { startTensors } from './startTensors.ts';

/** Under the run's cache. */
const planFolderName = 'pytorch';

/**
 * plan.json is written last.
 * @param modelFolder where the base model lies as a Hugging Face folder
 * @throws TuneError `disk-full` | `not-writable`
 */
export function writePytorchPlan(run: string, prepared: PreparedRun, modelFolder: string): void {
  const { record, sides, batches } = prepared;
  const folder = join(run, runNames.cache, planFolderName);
  const plan = planTraining(record.hyperparameters, batches.totalSteps);
  const isTaught = record.hyperparameters.objective === 'distill';
  const teacher = isTaught ? openTeacherCache(run, prepared) : undefined;
  try {
    makeFolders(join(folder, 'output'));
  } catch (error) {
    throw toWriteError(error, folder);
  }
  writeSafetensors(join(folder, 'plan.safetensors'), planTensors(sides, batches, plan, teacher));
  writeSafetensors(join(folder, 'start.safetensors'), startTensors(prepared));
  const { stacked = [] } = prepared.start ?? {};
  if (stacked.length > 0) writeSafetensors(join(folder, 'stacked.safetensors'), stackedTensors(stacked));
  for (const { name, pieces } of outputTemplates(run, prepared)) {
    writeStagedFile(join(folder, 'output', name), pieces);
  }
  const text = JSON.stringify({ ...describePlan(prepared), modelFolder }, null, 1);
  writeStagedFile(join(folder, 'plan.json'), [new TextEncoder().encode(text)]);
}

function describePlan({ record, architecture, sides, batches }: PreparedRun): object {
  const { hyperparameters } = record;
  const { evalEverySteps, saveEverySteps, patience, totalSteps } = planTraining(hyperparameters, batches.totalSteps);
  const { tokenizer, rowsPerExample } = sides;
  const { targets } = chooseTrainable(architecture, hyperparameters);
  const { layersToTransform, adaLora, method } = hyperparameters;
  return {
    schemaVersion: 1,
    totalSteps,
    stepsPerEpoch: batches.stepsPerEpoch,
    evalEverySteps,
    saveEverySteps,
    patience,
    contextTokens: hyperparameters.contextTokens,
    rowsPerExample,
    padTokenId: tokenizer.padTokenId,
    eosTokenIds: tokenizer.eosTokenIds,
    samplePrompts: hyperparameters.samplePrompts.map(prompt => encodePrompt(sides, askQuestion(prompt))),
    sampleTokens: sampleAnswerTokens,
    targetModules: [...new Set(targets.map(({ name }) => name.split('.').at(-2)!))],
    layersToTransform:
      layersToTransform.length === 0 ? null : expandLayers(layersToTransform, architecture.config.layers),
    rankSchedule: method === 'lora' && adaLora ? planRanks(hyperparameters, totalSteps) : null,
  };
}

/** The output's files without weights; the card is that of a run that has not begun. */
function outputTemplates(run: string, { record, architecture, model, sides }: PreparedRun): FileToWrite[] {
  const facts = { ...record, name: readNotes(run).name, state: freshTrainState };
  const { targets } = chooseTrainable(architecture, record.hyperparameters);
  const named = targets.map(({ name }) => ({
    name: name.replace(/\.weight$/, '.lora_A.weight'),
    shape: [0],
    value: new Float32Array(0),
    gradient: new Float32Array(0),
    decays: true,
  }));
  const files = outputFiles({
    parameters: named,
    // Which ranks AdaLoRA leaves is known in the end alone: Python says so in the configuration.
    facts: { ...facts, hyperparameters: { ...record.hyperparameters, adaLora: false } },
    tokenizer: model.tokenizer,
    chatTemplate: sides.template.text,
    layers: architecture.config.layers,
    config: model.config,
    generationConfig: model.generationConfig,
  });
  const card = { name: 'README.md', pieces: [new TextEncoder().encode(writeModelCard(facts))] };
  return [...files.filter(({ name }) => !name.includes('.safetensors') && name !== card.name), card];
}
