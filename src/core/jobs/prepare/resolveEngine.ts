/** @file A recipe's choice of engine -> the engine that runs it, or what speaks against the one that was asked for. */
import { findEngineProblems, nameSetting } from '../../../shared/engineCapabilities.ts';
import { chooseEngine, type Engine, type EngineChoice } from '../../../shared/engineChoice.ts';
import { TuneError } from '../../../shared/errors.ts';
import { formatBytes } from '../../../shared/formatBytes.ts';
import type { Hyperparameters } from '../../../shared/hyperparameters.ts';
import { isPythonReady, type PythonReport } from '../../../shared/pythonReport.ts';
import type { MemoryPlan } from '../forecast/memoryPlan.ts';

export interface ModelDemand {
  readonly parameters: number;
  /** What PyTorch would take; absent: not asked. */
  readonly memory?: Pick<MemoryPlan, 'peakMemoryBytes' | 'memoryLimitBytes' | 'card'> | undefined;
}

/** @throws TuneError `python-missing` when PyTorch was asked for and is not ready, `usage` for a setting that the engine cannot do */
export function resolveEngine(
  hyperparameters: Hyperparameters,
  { parameters, memory }: ModelDemand,
  python: PythonReport | undefined,
): EngineChoice {
  const choice = chooseEngine(hyperparameters.engine, {
    parameters,
    python,
    pytorchMisfit: describeMisfit(memory),
    pytorchLacks: describeLack('pytorch', hyperparameters),
    embeddedLacks: describeLack('embedded', hyperparameters),
  });
  const [problem] = findEngineProblems(choice.engine, hyperparameters);
  if (problem !== undefined) {
    throw new TuneError('usage', `${problem.name}: ${problem.message}`, {
      hint:
        choice.engine === 'pytorch'
          ? 'Set engine to embedded, or change the setting.'
          : 'Set engine to pytorch, or change the setting.',
    });
  }
  if (choice.engine === 'pytorch' && (python === undefined || !isPythonReady(python))) {
    const amiss = python?.problems[0];
    throw new TuneError(
      'python-missing',
      `engine: expected a Python environment that can run PyTorch, got ${amiss?.message ?? 'none'}`,
      {
        hint:
          amiss?.fix ??
          'Set one up (tuning-fork python install; in the editor: Set Up PyTorch...), or choose engine=embedded.',
      },
    );
  }
  if (choice.engine === 'pytorch' && isQuantized(hyperparameters) && python?.packages.bitsandbytes === null) {
    const lack = python.lacks?.find(({ message }) => message.includes('bitsandbytes'));
    throw new TuneError(
      'python-missing',
      `baseWeights: expected bitsandbytes for ${hyperparameters.baseWeights} with PyTorch, got a Python without it`,
      { hint: `${lack?.fix ?? 'Install it.'} Or set baseWeights to float32 or auto.` },
    );
  }
  return choice;
}

function describeMisfit(memory: ModelDemand['memory']): string | undefined {
  if (memory === undefined || memory.peakMemoryBytes <= memory.memoryLimitBytes) return undefined;
  const { peakMemoryBytes, memoryLimitBytes, card = 'memory' } = memory;
  return `With PyTorch it would take about ${formatBytes(peakMemoryBytes)}, more than the ${formatBytes(memoryLimitBytes)} of ${card} that it may use.`;
}

function isQuantized({ method, baseWeights }: Hyperparameters): boolean {
  return method === 'lora' && (baseWeights === '4bit' || baseWeights === '8bit');
}

function describeLack(engine: Engine, hyperparameters: Hyperparameters): string | undefined {
  const [problem] = findEngineProblems(engine, hyperparameters);
  return problem && `${nameSetting(problem.name)}: ${problem.message}`;
}
