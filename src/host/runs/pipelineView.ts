/** @file A pipeline's run and the runs of its stages -> what its panel shows of them. */
import type { PipelineView } from '../../shared/pages.ts';
import { describeStage, tabulateForgetting } from '../../shared/pipeline.ts';
import { describeRun } from './describeRun.ts';
import type { RunReader } from './runReader.ts';

/** Null for runs of other kinds. @param others the runs of the same store */
export function takePipelineView(run: RunReader, others: readonly RunReader[]): PipelineView | null {
  const source = run.stored ?? run.storedRequest;
  if (source?.kind !== 'pipeline') return null;
  const stages = source.stages.map((stage): PipelineView['stages'][number] => {
    const progress = run.pipeline?.stages.find(({ name }) => name === stage.name);
    const child = others.find(({ id }) => id === progress?.run);
    return {
      name: stage.name,
      state: progress?.state ?? 'waiting',
      run: progress?.run ?? null,
      runState: child?.state ?? null,
      steps: child === undefined ? '' : describeRun(child).steps,
      detail: describeStage(stage),
    };
  });
  return { file: source.file, stages, forgetting: tabulateForgetting(run.pipeline ?? { stages: [] }) };
}
