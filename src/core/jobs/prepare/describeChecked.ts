/** @file A checked run -> what a person is told at its start: how each file was read, and what was found but stops nothing. */
import {
  type BaseWeights,
  defaultHyperparameters,
  type Hyperparameters,
  hasEffect,
  hyperparameterNames,
  hyperparameterTable,
  type Setting,
} from '../../../shared/hyperparameters.ts';
import type { JobWarning } from '../jobEvents.ts';
import type { CheckedRun } from './checkRun.ts';

/** Of a dataset with more, the first ones; `inspect` shows all. */
const shownProblems = 5;

export function describeChecked({ request, sources, refusals, warnings, forecast, integerSpeedup }: CheckedRun): {
  notes: string[];
  warnings: JobWarning[];
} {
  const notes = sources.map(({ dataset: { file, format, mapping, usableRows, rows }, notes: leftOut }) => {
    const left = leftOut.map(note => `; ${note}`).join('');
    const used = usableRows === rows ? `${rows}` : `${usableRows} of ${rows}`;
    return `${file}: ${format}, ${used} ${rows === 1 ? 'row' : 'rows'}, read as ${mapping.mapping.kind}: ${mapping.reason}${left}`;
  });
  notes.push(...describeWithoutEffect(request.hyperparameters));
  if (integerSpeedup !== undefined) notes.push(describeBaseWeights(forecast.baseWeights, integerSpeedup));
  const ofRows = sources.flatMap(({ dataset: { file, problems, errorCount, warningCount } }): JobWarning[] => {
    const shown = problems.slice(0, shownProblems);
    const hidden = errorCount + warningCount - shown.length;
    const more = {
      file,
      line: null,
      code: 'more-problems',
      message: `${file}: ${hidden} more problems.`,
      fix: `See them with: tuning-fork inspect ${JSON.stringify(file)}`,
    };
    return [...shown, ...(hidden > 0 ? [more] : [])];
  });
  const [first] = sources;
  const ofAll = [...refusals, ...warnings].map(
    ({ code, message, remedy }): JobWarning => ({ file: first!.dataset.file, line: null, code, message, fix: remedy }),
  );
  return {
    notes,
    warnings: [...ofRows, ...ofAll].map(({ file, line, code, message, fix }) => ({ file, line, code, message, fix })),
  };
}

function describeBaseWeights(baseWeights: BaseWeights, integerSpeedup: number): string {
  const speed = `this machine multiplies 8-bit integers ${integerSpeedup.toFixed(1)} times as fast as floats`;
  const other = baseWeights === '8bit' ? 'float32 trains with exact products' : '8bit takes integers nevertheless';
  return `Base weights: ${baseWeights}, chosen because ${speed}; baseWeights=${other}.`;
}

/** A sentence for each setting that was changed and does nothing beside the others. */
function describeWithoutEffect(settings: Hyperparameters): string[] {
  const idle = hyperparameterNames.filter(
    name => !isEqual(settings[name], defaultHyperparameters[name]) && !hasEffect(name, settings),
  );
  return idle.map(name => {
    const { appliesWhen = {} }: Setting = hyperparameterTable[name];
    const needed = Object.entries(appliesWhen).map(([other, values]) => `${other} ${values.join(' or ')}`);
    return `${name}: ${JSON.stringify(settings[name])} has no effect here; it needs ${needed.join(' and ')}.`;
  });
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
