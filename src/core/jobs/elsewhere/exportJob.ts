/** @file A request -> a folder that trains it on other machines: the run prepared here, the engine, the model and the scripts. */
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import type { PythonReport } from '../../../shared/pythonReport.ts';
import type { RunRequest } from '../../../shared/recipe.ts';
import { makeFolders } from '../../formats/makeFolders.ts';
import { toWriteError } from '../../formats/stagedFile.ts';
import type { WeightCache } from '../../models/weightCache.ts';
import { createRunFolder } from '../../runs/runStore.ts';
import type { CheckOptions } from '../prepare/checkRun.ts';
import { type PreparedRun, prepareRun } from '../prepare/prepareRun.ts';
import { ensureModelFolder } from '../pytorch/ensureModelFolder.ts';
import { writePytorchPlan } from '../pytorch/writePytorchPlan.ts';
import { addTeacher } from '../teacher/teacherPass.ts';
import {
  checkShape,
  type JobFacts,
  type JobShape,
  writeDstackTask,
  writeJobReadme,
  writeSkyPilotTask,
  writeSlurmScript,
  writeSshScript,
  writeTrainScript,
} from './jobScripts.ts';

export interface ExportJobInput {
  readonly request: RunRequest;
  /** Absolute; to be made, or empty. */
  readonly out: string;
  readonly shape: JobShape;
  readonly copiesModel: boolean;
  /** The Python package and its requirements, as they ship. */
  readonly engineFolder: string;
  readonly weightCache: WeightCache;
  readonly check: CheckOptions;
}

export interface ExportedJob {
  readonly run: string;
  readonly files: readonly string[];
  /** How the data was read. */
  readonly notes: readonly string[];
}

/** It is made in full or not at all. @throws TuneError as preparing does, `usage`, `disk-full` | `not-writable` */
export async function exportJob(input: ExportJobInput): Promise<ExportedJob> {
  const { out, shape, request } = input;
  checkShape(shape);
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new TuneError('usage', `${out}: expected an empty folder or none, got one with files`, { file: out });
  }
  const made = !existsSync(out);
  try {
    return await fill(input, { ...request, hyperparameters: { ...request.hyperparameters, ...settingsFor(shape) } });
  } catch (error) {
    if (made) rmSync(out, { recursive: true, force: true });
    else for (const name of readdirSync(out)) rmSync(join(out, name), { recursive: true, force: true });
    throw toWriteError(error, out);
  }
}

/** One process a card; a single one needs no launcher. */
function settingsFor({ nodes, gpus }: JobShape): Partial<RunRequest['hyperparameters']> {
  const processes = Math.max(1, gpus);
  const engine = { engine: 'pytorch' as const, device: 'auto' as const };
  return nodes * processes === 1 ? engine : { ...engine, launcher: 'torchrun', processes, hosts: nodes };
}

/** The Python is that of the machine where it will run; the script there makes it. */
const describePythonElsewhere = ({ gpus, gpuName }: JobShape): PythonReport => ({
  source: 'own',
  interpreter: '/elsewhere',
  version: null,
  packages: {},
  accelerators: gpus === 0 ? [] : [{ kind: 'cuda', name: gpuName, memoryBytes: null }],
  problems: [],
});

async function fill(input: ExportJobInput, request: RunRequest): Promise<ExportedJob> {
  const { out, shape, copiesModel, engineFolder, weightCache, check } = input;
  const store = join(out, 'store');
  makeFolders(store);
  const { path: run } = createRunFolder(store, request, new Date());
  const prepared = await prepareRun(run, { ...check, python: describePythonElsewhere(shape) });
  try {
    if (prepared.record.objective === 'distill') await askTeacher(run, prepared, check);
    check.onPhase('writing the plan', 0, 1);
    const modelFolder = ensureModelFolder(prepared.model, weightCache);
    writePytorchPlan(run, prepared, modelFolder);
    // Uploaders leave out what a .gitignore names.
    rmSync(join(store, '.gitignore'), { force: true });
    cpSync(engineFolder, join(out, 'engine'), { recursive: true, filter: path => !path.includes('__pycache__') });
    if (copiesModel) {
      check.onPhase('copying model', 0, 1);
      cpSync(modelFolder, join(out, 'model'), { recursive: true, dereference: true, filter: isModelFile(modelFolder) });
    }
    const facts: JobFacts = { runId: basename(run), shape, hasModel: copiesModel };
    const files = {
      'train.sh': writeTrainScript(facts),
      'slurm.sh': writeSlurmScript(facts),
      'ssh.sh': writeSshScript(facts),
      'skypilot.yaml': writeSkyPilotTask(facts),
      'job.dstack.yml': writeDstackTask(facts),
      'README.txt': writeJobReadme(facts),
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(out, name), text);
      if (name.endsWith('.sh')) chmodSync(join(out, name), 0o755);
    }
    return { run, files: Object.keys(files), notes: prepared.notes };
  } finally {
    prepared.model.close();
  }
}

/** What the teacher says of every row goes into the plan: it is asked here, and does not travel along. */
async function askTeacher(run: string, prepared: PreparedRun, check: CheckOptions): Promise<void> {
  for await (const event of addTeacher({ ...check, run }, prepared)) {
    if (event.kind === 'phase') check.onPhase(event.name, event.done, event.total);
  }
}

/** Configuration and safe weights alone: no code, no pickles, nothing that merely lies in the same folder. */
function isModelFile(folder: string): (path: string) => boolean {
  return path => path === folder || (dirname(path) === folder && /\.(json|safetensors)$/.test(path));
}
