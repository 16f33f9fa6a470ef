/** @file What may stand in a pipeline file, once: validation, completion and hover are drawn from these tables. */
import { distillKinds, stageStarts } from '../../../shared/pipeline.ts';
import { overrideNames } from '../../../shared/recipe.ts';

export interface PipelineKey {
  readonly help: string;
  readonly values?: readonly string[];
  /** What an editor writes behind the name. */
  readonly insert: string;
}

const setHelp = 'Hyperparameters by name, as `--set` takes them';

export const fileKeys = {
  name: { help: 'Name of the run, default that of the file.', insert: 'name: ' },
  model: { help: 'Base model of the first stage: tiny, a folder, a .gguf file or a Hub id.', insert: 'model: ' },
  set: { help: `${setHelp}, of every stage; a stage's own win over them.`, insert: 'set:\n  ' },
  stages: { help: 'The stages in the order in which they are trained.', insert: 'stages:\n  - name: ' },
} as const satisfies Record<string, PipelineKey>;

export const stageKeys = {
  name: { help: 'Name of the stage: letters, digits, - and _, each name once.', insert: 'name: ' },
  model: {
    help: 'Train from this model instead of from the result of the stage before, as a student does.',
    insert: 'model: ',
  },
  start: {
    help: "How the result of the stage before is taken up, default continue: continue = train its adapter on; merge = add the adapter to the model's weights and train a new one; fresh = start from `model`.",
    values: stageStarts,
    insert: 'start: ',
  },
  dataset: { help: 'File of rows, or a list of files; seen from the folder of this file.', insert: 'dataset: ' },
  mapping: {
    help: 'How fields become conversations, as questionAnswer:question=q,answer=a; default detected.',
    insert: 'mapping: ',
  },
  objective: {
    help: "What is learned, default sft: the dataset's answers (sft), or to prefer a chosen answer to a rejected one (dpo). A teacher decides it where there is one.",
    values: ['sft', 'dpo'],
    insert: 'objective: ',
  },
  teacher: {
    help: 'Learn from it: `previous` (the result of the stage before), the name of an earlier stage, a model, or the address of an OpenAI-compatible endpoint (its key: --key-env, or Set Endpoint Key in the editor).',
    insert: 'teacher: ',
  },
  teacherModel: { help: "The endpoint's name of the model that teaches.", insert: 'teacherModel: ' },
  requestsPerMinute: {
    help: 'Most requests a minute to an endpoint that teaches, default no limit.',
    insert: 'requestsPerMinute: ',
  },
  distill: {
    help: "What is learned from the teacher, default logits: logits = what it thinks of each token of the rows (same tokenizer); answers = its own answers to the rows' questions.",
    values: distillKinds,
    insert: 'distill: ',
  },
  maxTokens: { help: "Most tokens of a teacher's answer (distill: answers), default 160.", insert: 'maxTokens: ' },
  keepCut: {
    help: 'Keep answers that reached `maxTokens` before their end (distill: answers), default false.',
    values: ['true', 'false'],
    insert: 'keepCut: ',
  },
  set: { help: `${setHelp}, of this stage.`, insert: 'set:\n  ' },
  override: {
    help: `Insist although a check refuses: a list of ${overrideNames.join(', ')}.`,
    values: overrideNames,
    insert: 'override: [',
  },
} as const satisfies Record<string, PipelineKey>;

export type StageKey = keyof typeof stageKeys;

export const isKeyOf = <T extends object>(table: T, name: string): name is keyof T & string =>
  Object.hasOwn(table, name);
