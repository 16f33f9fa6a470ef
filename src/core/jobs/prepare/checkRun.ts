/** @file A request -> everything that is known before training: rows, tokens, steps, memory, and what speaks against it. */
import type { PreflightFinding } from '../../../shared/datasetProtocol.ts';
import type { EngineChoice } from '../../../shared/engineChoice.ts';
import { TuneError } from '../../../shared/errors.ts';
import { formatBytes } from '../../../shared/formatBytes.ts';
import type { HubSettings } from '../../../shared/hubSettings.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import type { PythonReport } from '../../../shared/pythonReport.ts';
import type { Forecast, RunRequest } from '../../../shared/recipe.ts';
import type { SplitName } from '../../../shared/runFolder.ts';
import type { Example } from '../../data/example.ts';
import type { Model } from '../../models/findArchitecture.ts';
import { countParameters } from '../../models/measureModel.ts';
import { nameFile } from '../../models/nameFile.ts';
import type { OpenModel } from '../../models/openedModel.ts';
import { type OpenModelOptions, openModel } from '../../models/openModel.ts';
import { planRanks } from '../../optim/rankBudget.ts';
import { countDeviceMemory } from '../../runtime/describeDevices.ts';
import { requireCarriedDevice } from '../../runtime/devices.ts';
import { enforceFindings, findRefusals, findWarnings } from '../../text/preflight.ts';
import type { TrainControl } from '../../train/trainLoop.ts';
import { findIntegerSpeedup } from '../forecast/integerSpeedup.ts';
import { planMemory } from '../forecast/memoryPlan.ts';
import { findMemoryRefusal } from '../forecast/memoryRefusal.ts';
import { type ProposedFit, proposeFit } from '../forecast/proposeFit.ts';
import { planPytorchMemory } from '../forecast/pytorchPlan.ts';
import { interruptible, throwIfInterrupted } from '../interruption.ts';
import { refuseForPytorch } from '../pytorch/refusePytorch.ts';
import { type OpenTeacher, openTeacher } from '../teacher/openTeacher.ts';
import { checkObjectiveData } from './checkObjectiveData.ts';
import { checkSamplePrompts } from './checkSamplePrompts.ts';
import { type EncodedSides, encodeSides } from './encodeSides.ts';
import { type BatchPlan, planBatches } from './planBatches.ts';
import { checkWeights, readArchitecture } from './readArchitecture.ts';
import { type ReadSource, readSources } from './readSources.ts';
import { resolveEngine } from './resolveEngine.ts';
import { adoptStart, checkStart } from './startAdapters.ts';

export interface CheckedRun {
  /** As asked for, with the settings of the adapter that training goes on from. */
  readonly request: RunRequest;
  readonly model: OpenModel;
  readonly architecture: Model;
  readonly engine: EngineChoice;
  readonly teacher: OpenTeacher | undefined;
  readonly sources: readonly ReadSource[];
  readonly sides: EncodedSides;
  readonly batches: BatchPlan;
  /** Of 8-bit products over float ones on this machine, where the choice of base weights asked for it. */
  readonly integerSpeedup: number | undefined;
  readonly forecast: Forecast;
  /** What would make it fit the memory limit, when it does not. */
  readonly fit: ProposedFit | null;
  readonly refusals: readonly PreflightFinding[];
  readonly warnings: readonly PreflightFinding[];
}

export interface CheckOptions {
  /** The model that ships with the program. */
  readonly tinyFolder: string;
  readonly hub: HubSettings | undefined;
  readonly control: Pick<TrainControl, 'ask'>;
  /** Of the machine's Python, where one is known. */
  readonly python?: PythonReport | undefined;
  /** Whether what is not known of this machine's speed may be measured, which takes a second or two and the engine. */
  readonly measures?: boolean;
  readonly onPhase: (name: string, done: number, total: number) => void;
}

/** The caller closes the model and the teacher. @throws TuneError for whatever the user gave wrong; JobInterrupted */
export async function checkRun(asked: RunRequest, options: CheckOptions): Promise<CheckedRun> {
  const { control, onPhase } = options;
  const request = adoptStart(asked);
  const { device } = request.hyperparameters;
  if (device !== 'auto' && device !== 'cpu') requireCarriedDevice(device);
  onPhase('opening model', 0, 1);
  const model = await interruptible(control, signal => openModel(request.model, modelOptions(options, signal)));
  let teacher: OpenTeacher | undefined;
  try {
    const architecture = readArchitecture(model);
    checkWeights(model, architecture);
    const ofPytorch = planPytorchMemory(architecture, request.hyperparameters, options.python);
    const engine = resolveEngine(
      request.hyperparameters,
      { parameters: countParameters(architecture), memory: ofPytorch },
      options.python,
    );
    if (engine.engine === 'pytorch') refuseForPytorch(request, options.python);
    checkStart(request, architecture);
    const sources = await interruptible(control, signal =>
      readSources(request, signal, (done, total) => onPhase('reading data', done, total)),
    );
    checkObjectiveData(sources, request.hyperparameters);
    const examples = (side: SplitName): Example[] =>
      sources.flatMap(({ dataset, split }) => dataset.examples.filter((_, row) => split.rows[row] === side));
    const given = { train: examples('train'), heldOut: examples('heldOut') };
    const sides = encodeSides(model, given, request.hyperparameters, (done, total) => {
      throwIfInterrupted(control);
      onPhase('tokenising', done, total);
    });
    const { report, tokenizer } = sides;
    const { objective, samplePrompts } = request.hyperparameters;
    // Of a preference only the answers are supervised, whatever is said.
    const trainOn = objective === 'dpo' ? 'assistant' : request.hyperparameters.trainOn;
    checkSamplePrompts(architecture, sides, samplePrompts);
    const refusals = findRefusals({ report, tokenizer, trainOn });
    if (sides.train.length === 0) enforceChecks({ refusals, sources }, []);
    teacher = await interruptible(control, signal => openTeacher(request, modelOptions(options, signal), tokenizer));
    const batches = planBatches(sides, request.hyperparameters);
    if (request.hyperparameters.method === 'lora' && request.hyperparameters.adaLora) {
      planRanks(request.hyperparameters, batches.totalSteps);
    }
    const integerSpeedup = await findIntegerSpeedup(architecture, request.hyperparameters, options.measures === true);
    const supervisedShare = report.supervisedTokens / Math.max(1, report.tokens);
    const circumstances = { teacher: teacher?.architecture, integerSpeedup, supervisedShare };
    const isPytorch = engine.engine === 'pytorch';
    const memory = isPytorch
      ? ofPytorch
      : planMemory(architecture, model.weights, request.hyperparameters, circumstances);
    const fit = proposeFit({
      model: architecture,
      weights: model.weights,
      hyperparameters: request.hyperparameters,
      longestTokens: report.longestTokens,
      circumstances,
      planOther: isPytorch ? settings => planPytorchMemory(architecture, settings, options.python) : undefined,
    });
    return {
      request,
      model,
      architecture,
      engine,
      teacher,
      sources,
      sides,
      batches,
      integerSpeedup,
      forecast: {
        totalSteps: batches.totalSteps,
        trainRows: sides.train.length / sides.rowsPerExample,
        heldOutRows: sides.heldOut.length / sides.rowsPerExample,
        tokensPerEpoch: report.tokens,
        supervisedTokensPerEpoch: report.supervisedTokens,
        ...memory,
      },
      fit: fit ?? null,
      refusals: [...refusals, ...findMemoryRefusal(memory, fit)],
      warnings: [
        ...(memory.card === undefined ? [] : [describeCardForecast(memory.card, memory.peakMemoryBytes)]),
        ...findWarnings({ report, tokenizer, trainOn }),
        ...findNothingHeldOut(sides, request),
        ...findDeviceMemoryWarning(memory.peakMemoryBytes, request.hyperparameters),
        ...findContextWarning(report.longestTokens, request.hyperparameters, architecture),
      ],
    };
  } catch (error) {
    model.close();
    teacher?.model.close();
    throw error;
  }
}

/** On graphics cards the counts were never held beside a measured peak. */
function describeCardForecast(card: string, peakMemoryBytes: number): PreflightFinding {
  return {
    code: 'pytorch-memory',
    message: `Memory: about ${formatBytes(peakMemoryBytes)} of ${card} is counted, not measured.`,
    remedy:
      'If its memory runs out, lower batchRows or contextTokens, set gradientCheckpointing, or baseWeights to 4bit.',
    override: null,
  };
}

/** Of a device that is named; `auto` passes one with too little memory over. */
function findDeviceMemoryWarning(
  peakMemoryBytes: number,
  { device }: Pick<Hyperparameters, 'device'>,
): PreflightFinding[] {
  const memoryBytes = device === 'auto' ? null : countDeviceMemory(device);
  if (memoryBytes === null || peakMemoryBytes <= memoryBytes) return [];
  return [
    {
      code: 'device-memory',
      message: `Device: expected at least the forecast of ${formatBytes(peakMemoryBytes)}, got graphics cards with ${formatBytes(memoryBytes)}.`,
      remedy: 'Lower contextTokens or batchRows, hold the base in 4 bit (baseWeights), or set device to cpu.',
      override: null,
    },
  ];
}

/** Rows longer than anything the base model has seen can be trained on, but their ends are new ground for it. */
function findContextWarning(
  longestTokens: number,
  { contextTokens }: Pick<Hyperparameters, 'contextTokens'>,
  { config }: Model,
): PreflightFinding[] {
  const longest = Math.min(longestTokens, contextTokens);
  if (longest <= config.maxContextTokens) return [];
  return [
    {
      code: 'beyond-model-context',
      message: `Context: expected rows of at most ${config.maxContextTokens} tokens, which the base model was trained for, got ${longest}.`,
      remedy: `Set contextTokens to ${config.maxContextTokens} or less, or choose a model with a longer context.`,
      override: null,
    },
  ];
}

/** Downloads report as a phase of their own. */
export function modelOptions({ tinyFolder, hub, onPhase }: CheckOptions, signal: AbortSignal): OpenModelOptions {
  let phase = 'downloading model';
  return {
    tinyFolder,
    hub: {
      ...(hub === undefined ? {} : { settings: hub }),
      signal,
      onPlan: ({ licence, totalBytes }) => {
        phase = `downloading model (licence ${licence ?? 'not stated'})`;
        onPhase(phase, 0, totalBytes);
      },
      onProgress: ({ doneBytes, totalBytes }) => onPhase(phase, doneBytes, totalBytes),
    },
  };
}

/** @throws TuneError `preflight`, or `memory` when that alone stands against the run */
export function enforceChecks(
  { refusals, sources }: Pick<CheckedRun, 'refusals' | 'sources'>,
  overrides: readonly string[],
): void {
  const ofRows = refusals.filter(finding => finding.code !== 'memory');
  nameFile(sources[0]!.dataset.file, () => enforceFindings(ofRows, overrides));
  try {
    enforceFindings(refusals, overrides);
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    throw new TuneError('memory', error.message, { hint: error.hint });
  }
}

function findNothingHeldOut({ train, heldOut }: EncodedSides, { hyperparameters }: RunRequest): PreflightFinding[] {
  if (hyperparameters.evalRatio === 0 || heldOut.length > 0) return [];
  return [
    {
      code: 'nothing-held-out',
      message: `Held-out rows: expected some, got none beside ${train.length === 1 ? '1 row' : `${train.length} rows`}: no early stopping, and the last checkpoint is kept, not the best.`,
      remedy: 'Add rows with different questions, or raise contextTokens when they do not fit.',
      override: null,
    },
  ];
}
