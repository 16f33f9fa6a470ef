/** @file The Python process's answers: the environment of the PyTorch engine is looked at, planned and made. */
import { describePython, type PythonPlace } from '../../core/python/describePython.ts';
import { installEnvironment } from '../../core/python/installEnvironment.ts';
import { removeOwnEnvironments, statusOf } from '../../core/python/manageEnvironments.ts';
import { type PlannedInstall, planInstall } from '../../core/python/planInstall.ts';
import { readMachine } from '../../core/python/readMachine.ts';
import { runProgram } from '../../core/python/runProgram.ts';
import { chooseTorchBuild, torchBuilds } from '../../core/python/torchBuild.ts';
import type { InstallProgress, PythonCalls, PythonChoices } from '../../shared/pythonProtocol.ts';
import type { Handlers } from '../../shared/rpc.ts';
import { exportOrder, type ShippedFolders } from './exportOrder.ts';

export interface PythonContext {
  readonly place: PythonPlace;
  readonly shipped: ShippedFolders;
  readonly parentGone: AbortSignal;
  readonly onProgress: (progress: InstallProgress) => void;
}

export function answerCalls({ place, shipped, parentGone, onProgress }: PythonContext): Handlers<PythonCalls> {
  const plan = async ({ build, torchIndex, packageIndex }: PythonChoices): Promise<PlannedInstall> => {
    const choices = {
      build: torchBuilds.find(known => known === build),
      torchIndex: torchIndex ?? undefined,
      packageIndex: packageIndex ?? undefined,
    };
    const machine = await readMachine(runProgram, place.env);
    return await planInstall({ ...place, choices, machine, run: runProgram });
  };
  return {
    'python/status': async ({ fresh }, signal) =>
      statusOf(place, await describePython(place, { run: runProgram, signal, fresh })),
    'python/wish': async () => {
      const { build, reason } = chooseTorchBuild(await readMachine(runProgram, place.env));
      return { hasCard: build !== 'cpu', reason };
    },
    'python/plan': async choices => (await plan(choices)).plan,
    'python/install': async (choices, signal) =>
      await installEnvironment({
        planned: await plan(choices),
        run: runProgram,
        env: place.env,
        signal: AbortSignal.any([signal, parentGone]),
        onProgress,
      }),
    'job/export': (order, signal) => exportOrder(order, shipped, AbortSignal.any([signal, parentGone])),
    'python/remove': async () => await removeOwnEnvironments(place),
  };
}
