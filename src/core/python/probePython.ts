/** @file An interpreter -> its version, packages and accelerators, and what keeps the PyTorch engine from running with it. */
import { tmpdir } from 'node:os';
import { z } from 'zod';
import { acceleratorSchema, type PythonReport } from '../../shared/pythonReport.ts';
import { cleanPythonEnvironment } from './pythonEnvironment.ts';
import type { Requirements } from './readRequirements.ts';
import type { RunProgram } from './runProgram.ts';

/** The first import of torch after an installation reads a gigabyte from disk. */
const probeMs = 180_000;
const marker = 'tuning-fork-probe:';

const script = `
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
found = {"version": ".".join(map(str, sys.version_info[:3])), "packages": {n: version(n) for n in sys.argv[1:]}, "accelerators": [], "torchError": None}
if found["packages"].get("torch"):
    try:
        import torch
        if torch.cuda.is_available():
            kind = "rocm" if torch.version.hip else "cuda"
            for i in range(torch.cuda.device_count()):
                p = torch.cuda.get_device_properties(i)
                found["accelerators"].append({"kind": kind, "name": p.name, "memoryBytes": p.total_memory})
        elif torch.backends.mps.is_available():
            found["accelerators"].append({"kind": "mps", "name": "Apple", "memoryBytes": torch.mps.recommended_max_memory()})
    except Exception as error:
        found["torchError"] = f"{type(error).__name__}: {error}"
print("${marker}" + json.dumps(found))
`;

const answerSchema = z.strictObject({
  version: z.string(),
  packages: z.record(z.string(), z.string().nullable()),
  accelerators: z.array(acceleratorSchema),
  torchError: z.string().nullable(),
});
type Answer = z.infer<typeof answerSchema>;

export interface ProbeInput {
  readonly interpreter: string;
  readonly source: PythonReport['source'];
  readonly requirements: Requirements;
  readonly run: RunProgram;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** Nothing of the interpreter is changed. */
export async function probePython(input: ProbeInput): Promise<PythonReport> {
  const { interpreter, source, requirements, run, env = process.env, signal } = input;
  const names = [...requirements.pins.keys()];
  // Isolated: neither the working directory nor variables of the user add modules.
  const { code, stdout, stderr } = await run(interpreter, ['-I', '-c', script, ...names], {
    cwd: tmpdir(),
    env: cleanPythonEnvironment(env),
    timeoutMs: probeMs,
    signal,
  });
  const line = stdout.split('\n').find(text => text.startsWith(marker));
  const parsed = line === undefined ? undefined : answerSchema.safeParse(JSON.parse(line.slice(marker.length)));
  if (code !== 0 || parsed?.success !== true) {
    const said = stderr.trim().split('\n').at(-1) || `exit code ${code}`;
    const problem = { message: `${interpreter} does not run (${said})`, fix: fixOf(source) };
    return { source, interpreter, version: null, packages: {}, accelerators: [], problems: [problem] };
  }
  const { version, packages, accelerators } = parsed.data;
  const lacks = findLacks(input, parsed.data);
  const problems = findProblems(input, parsed.data);
  const report = { source, interpreter, version, packages, accelerators, problems };
  return lacks.length === 0 ? report : { ...report, lacks };
}

/** Python itself, then packages that are missing or of another major and minor version, then a torch that does not load. */
function findProblems(input: ProbeInput, answer: Answer): PythonReport['problems'] {
  const { source } = input;
  if (!isPythonSupported(answer.version)) {
    const fix =
      source === 'own'
        ? fixOf(source)
        : `Point tuningFork.pythonPath at Python ${supportedPythons}, or leave it empty.`;
    return [{ message: `Python ${answer.version} is not of ${supportedPythons}`, fix }];
  }
  const problems = findPackageProblem(input, answer);
  if (answer.torchError !== null) {
    problems.push({ message: `torch does not load (${answer.torchError})`, fix: fixOf(source) });
  }
  return problems;
}

/** All packages that are amiss as one problem, because one command mends it. */
function findPackageProblem(
  { interpreter, source, requirements }: ProbeInput,
  { packages }: Answer,
): PythonReport['problems'] {
  const pins = [...requirements.pins];
  const missing = pins.filter(([name]) => (packages[name] ?? null) === null && !optionalPackages.has(name));
  const others = pins.filter(([name, pinned]) => {
    const found = packages[name] ?? null;
    return found !== null && !isCompatible(name, found, pinned);
  });
  if (missing.length + others.length === 0) return [];
  const said = [
    ...others.map(([name, pinned]) => `${name} is ${packages[name]}, expected ${pinned}`),
    ...(missing.length === 0 ? [] : [describeMissing(missing.map(([name]) => name))]),
  ];
  return [
    {
      message: said.join('; '),
      fix: fixOf(source, installCommand(interpreter, [...others, ...missing], requirements.packagesFile)),
    },
  ];
}

/** `torch, transformers, peft and 9 other packages are missing` */
function describeMissing(names: readonly string[]): string {
  if (names.length === 1) return `${names[0]} is missing`;
  const [shown, rest] = names.length > 4 ? [names.slice(0, 3), names.length - 3] : [names.slice(0, -1), 0];
  const last = rest > 0 ? `${rest} other packages` : names.at(-1);
  return `${shown.join(', ')} and ${last} are missing`;
}

/** What each is for: runs that need none of them do without. */
const optionalPackages: ReadonlyMap<string, string> = new Map([
  ['bitsandbytes', 'base weights of 4 and 8 bit'],
  ['optuna', "searches with a sampler or pruner of Optuna's"],
]);

function findLacks({ interpreter, source, requirements }: ProbeInput, { packages }: Answer): PythonReport['problems'] {
  return [...requirements.pins].flatMap(([name, pinned]) => {
    const use = optionalPackages.get(name);
    if (use === undefined || (packages[name] ?? null) !== null) return [];
    const fix = fixOf(source, installCommand(interpreter, [[name, pinned]]));
    return [{ message: `Without ${name}: no ${use}`, fix }];
  });
}

/** Many packages are named by the file that lists them. */
function installCommand(
  interpreter: string,
  pins: readonly (readonly [string, string])[],
  packagesFile?: string,
): string {
  if (packagesFile !== undefined && pins.length > 4) return `"${interpreter}" -m pip install -r "${packagesFile}"`;
  return `"${interpreter}" -m pip install ${pins.map(([name, pinned]) => `${name}==${pinned}`).join(' ')}`;
}

/** An environment of ours is made anew; one of the user's is theirs to mend. */
function fixOf(source: PythonReport['source'], install?: string): string {
  if (source === 'own') return 'Make it anew: tuning-fork python install (in the editor: Set Up PyTorch...).';
  return install === undefined
    ? 'Mend it, or leave tuningFork.pythonPath empty and set up one of ours.'
    : `Run: ${install}`;
}

export const supportedPythons = '3.11 to 3.14';

export function isPythonSupported(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major === 3 && minor !== undefined && minor >= 11 && minor <= 14;
}

/** Their programming interfaces change between minor versions; of the others any version does. */
const exactPackages = ['transformers', 'peft', 'trl', 'accelerate'];

/** Patches and builds (`2.13.1+cu130`) may differ, and PyTorch may be newer. */
function isCompatible(name: string, found: string, pinned: string): boolean {
  const numbers = (version: string) => version.split('+')[0]!.split('.').map(Number);
  const [major, minor = 0] = numbers(found);
  const [pinnedMajor, pinnedMinor = 0] = numbers(pinned);
  if (name === 'torch') return major === pinnedMajor && minor >= pinnedMinor;
  return !exactPackages.includes(name) || (major === pinnedMajor && minor === pinnedMinor);
}
