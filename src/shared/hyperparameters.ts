/**
 * @file Every hyperparameter, once: form, command line, validation, documentation and the recipe are drawn from this
 * table. Defaults follow the sources named in CONTRIBUTING.md ("Defaults").
 */
import { z } from 'zod';
import type { Engine } from './engineChoice.ts';

/** Linear layers of some architectures (Phi-3) that stand for several of others. */
export const fusedLayers = {
  qkv_proj: ['q_proj', 'k_proj', 'v_proj'],
  gate_up_proj: ['gate_proj', 'up_proj'],
} as const;

/** The linear layers of a block that LoRA may adapt, named as in the checkpoint. */
export const linearLayers = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
  'qkv_proj',
  'gate_up_proj',
] as const;

/** Where a graph can run: ONNX Runtime's execution providers. */
export const devices = ['cpu', 'webgpu', 'dml', 'coreml'] as const;
export type Device = (typeof devices)[number];

interface Common {
  readonly label: string;
  /** One sentence with unit, default and effect; shown to users. */
  readonly help: string;
  readonly group: 'method' | 'optimizer' | 'length' | 'data' | 'evaluation' | 'machine';
  /** Advanced settings are folded away in the form. */
  readonly advanced: boolean;
  /** It has an effect only while each of these other settings has one of these values; the form hides it otherwise. */
  readonly appliesWhen?: Readonly<Record<string, readonly (string | boolean)[]>>;
}
interface NumberSetting extends Common {
  readonly kind: 'number' | 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}
/** A number that may be left open: null stands for "not set", said by `emptyText`. */
interface OptionalNumberSetting extends Common {
  readonly kind: 'optionalInteger';
  readonly default: null;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  readonly emptyText: string;
}
interface ChoiceSetting<T extends string> extends Common {
  readonly kind: 'choice';
  readonly default: T;
  readonly choices: readonly { readonly value: T; readonly label: string }[];
}
interface FlagSetting extends Common {
  readonly kind: 'flag';
  readonly default: boolean;
}
interface ListSetting extends Common {
  readonly kind: 'layers' | 'texts';
  readonly default: readonly string[];
}
/** Words separated by commas; none stands for what `emptyText` says. */
interface NamesSetting extends Common {
  readonly kind: 'names';
  readonly default: readonly string[];
  readonly pattern: RegExp;
  /** What one word may be, for messages. */
  readonly words: string;
  readonly emptyText: string;
}
export type Setting =
  | NumberSetting
  | OptionalNumberSetting
  | ChoiceSetting<string>
  | FlagSetting
  | ListSetting
  | NamesSetting;

const loraOnly = { method: ['lora'] };
const pytorchOnly = { engine: ['auto', 'pytorch'] };
const severalProcesses = { engine: ['auto', 'pytorch'], launcher: ['torchrun', 'accelerate'] };
const adaLoraOnly = { method: ['lora'], adaLora: [true] };
const dpoOnly = { objective: ['dpo'] };
const distillOnly = { objective: ['distill'] };

const whole = (s: Omit<NumberSetting, 'kind'>) => ({ kind: 'integer', ...s }) as const;
const real = (s: Omit<NumberSetting, 'kind'>) => ({ kind: 'number', ...s }) as const;
const open = (s: Omit<OptionalNumberSetting, 'kind' | 'default'>) =>
  ({ kind: 'optionalInteger', default: null, ...s }) as const;
const choice = <T extends string>(s: Omit<ChoiceSetting<T>, 'kind'>) => ({ kind: 'choice', ...s }) as const;
const names = (s: Omit<NamesSetting, 'kind' | 'default'>) =>
  ({ kind: 'names', default: [] as string[], ...s }) as const;
const flag = (s: Omit<FlagSetting, 'kind'>) => ({ kind: 'flag', ...s }) as const;

export const hyperparameterTable = {
  engine: choice<'auto' | Engine>({
    label: 'Engine',
    group: 'method',
    advanced: false,
    default: 'auto',
    choices: [
      { value: 'auto', label: 'Automatic' },
      { value: 'embedded', label: 'Embedded' },
      { value: 'pytorch', label: 'PyTorch' },
    ],
    help: 'What trains, default automatic: embedded = the engine that comes with Tuning Fork, nothing to install; pytorch = Transformers, PEFT and TRL in a Python environment; automatic takes PyTorch for a big model where it finds a graphics card.',
  }),
  objective: choice<'sft' | 'dpo' | 'distill'>({
    label: 'Objective',
    group: 'method',
    advanced: false,
    default: 'sft',
    choices: [
      { value: 'sft', label: 'Answers (supervised)' },
      { value: 'dpo', label: 'Preferences (DPO)' },
      { value: 'distill', label: 'A teacher (distillation)' },
    ],
    help: "What is learned, default the dataset's answers (sft): dpo = to prefer a chosen answer to a rejected one, distill = the answers and what a teacher model thinks of each token.",
  }),
  dpoBeta: real({
    label: 'DPO beta',
    group: 'method',
    appliesWhen: dpoOnly,
    advanced: false,
    default: 0.1,
    min: 0.001,
    max: 10,
    help: 'How strongly preference tuning holds on to the base model, default 0.1: higher = stays closer to it.',
  }),
  dpoLabelSmoothing: real({
    label: 'DPO label smoothing',
    group: 'method',
    appliesWhen: dpoOnly,
    advanced: true,
    default: 0,
    min: 0,
    max: 0.49,
    help: 'Share of the preferences taken to be the wrong way round, default 0: higher = more cautious with noisy preferences.',
  }),
  rpoAlpha: real({
    label: 'Weight of the chosen answer',
    group: 'method',
    appliesWhen: dpoOnly,
    advanced: true,
    default: 0,
    min: 0,
    max: 100,
    help: "Weight of the chosen answer's own loss a token beside the preference loss (RPO), default 0: higher = chosen answers stay likely.",
  }),
  distillAlpha: real({
    label: 'Teacher share',
    group: 'method',
    appliesWhen: distillOnly,
    advanced: false,
    default: 0.5,
    min: 0,
    max: 1,
    help: "Share of the teacher in the loss, default 0.5: 1 = the teacher alone, 0 = the dataset's answers alone.",
  }),
  distillTemperature: real({
    label: 'Distillation temperature',
    group: 'method',
    appliesWhen: distillOnly,
    advanced: true,
    default: 1,
    min: 0.1,
    max: 100,
    help: 'Divides the logits of teacher and student before they are compared, default 1: higher = unlikely tokens count more.',
  }),
  distillTopK: whole({
    label: 'Teacher tokens',
    group: 'method',
    appliesWhen: distillOnly,
    advanced: true,
    default: 32,
    min: 1,
    max: 1024,
    unit: 'tokens',
    help: "The teacher's likeliest tokens kept at each position, default 32; the rest counts as one: higher = more exact, more disk.",
  }),
  method: choice<'lora' | 'full'>({
    label: 'Method',
    group: 'method',
    advanced: false,
    default: 'lora',
    choices: [
      { value: 'lora', label: 'LoRA adapter' },
      { value: 'full', label: 'Full fine-tuning' },
    ],
    help: 'What is trained, default LoRA: small adapter matrices beside frozen weights, or (full) every weight, which needs about four times the memory of the model.',
  }),
  rank: whole({
    label: 'LoRA rank',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: false,
    default: 16,
    min: 1,
    max: 512,
    help: 'Inner size of the adapter matrices, default 16: higher = more capacity, more memory.',
  }),
  alpha: real({
    label: 'LoRA alpha',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: false,
    default: 32,
    min: 0.1,
    max: 4096,
    help: 'Adapter scale is alpha / rank, default 32: higher = stronger adapter updates.',
  }),
  targetModules: {
    kind: 'layers',
    label: 'Target modules',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: linearLayers,
    help: 'Linear layers that get an adapter, default all that the model has: fewer = smaller and faster, usually worse.',
  },
  layersToTransform: names({
    label: 'Layers with adapters',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    pattern: /^\d{1,5}(-\d{1,5})?$/,
    words: 'layer numbers like 3 or ranges like 8-29',
    emptyText: 'all',
    help: 'Blocks of the model that get adapters, counted from 0, as 8-29 or 0,3,5, default all: only later ones = faster, less memory.',
  }),
  modulesToSave: names({
    label: 'Modules trained whole',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    pattern: /^[\w.]{1,200}$/,
    words: 'names of modules like lm_head',
    emptyText: 'none',
    help: 'Modules whose own weights are trained and saved beside the adapter, as lm_head,embed_tokens or norm, default none: more = more capacity, much more memory.',
  }),
  rsLora: flag({
    label: 'Rank-stabilised scale',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: false,
    help: 'Scale adapters by alpha / sqrt(rank) instead of alpha / rank, default off: on = stable at high ranks.',
  }),
  dora: flag({
    label: 'DoRA',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: false,
    help: 'Train the magnitude of each weight row beside its direction, default off: on = closer to full fine-tuning at low ranks, slower.',
  }),
  dropout: real({
    label: 'LoRA dropout',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: 0,
    min: 0,
    max: 0.95,
    help: "Share of the adapter's input elements that are zeroed at random in training, default 0: higher = less over-fitting on small data, slower.",
  }),
  loraPlusRatio: real({
    label: 'LoRA+ ratio',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: 1,
    min: 0.01,
    max: 1000,
    help: 'Learning rate of matrix B over that of A, default 1 (equal): LoRA+ advises about 16, with a lower learning rate.',
  }),
  adaLora: flag({
    label: 'AdaLoRA',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: false,
    help: 'Start with the rank everywhere and keep it only where it matters, default off: on = a better use of the same adapter size, slower.',
  }),
  adaTargetRank: whole({
    label: 'AdaLoRA target rank',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    default: 8,
    min: 1,
    max: 511,
    help: 'Mean rank that AdaLoRA falls to, default 8: lower = a smaller adapter.',
  }),
  adaInitialSteps: open({
    label: 'AdaLoRA initial steps',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    min: 0,
    max: 10_000_000,
    unit: 'steps',
    emptyText: 'a tenth of the run',
    help: 'Steps before ranks begin to fall, default a tenth of the run.',
  }),
  adaFinalSteps: open({
    label: 'AdaLoRA final steps',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    min: 0,
    max: 10_000_000,
    unit: 'steps',
    emptyText: 'a third of the run',
    help: 'Steps at the end in which ranks no longer change, default a third of the run.',
  }),
  adaIntervalSteps: whole({
    label: 'AdaLoRA interval',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    default: 1,
    min: 1,
    max: 100_000,
    unit: 'steps',
    help: 'Steps between two allocations of ranks, default 1: higher = calmer.',
  }),
  adaBeta1: real({
    label: 'AdaLoRA beta 1',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    default: 0.85,
    min: 0.01,
    max: 0.999,
    help: 'Memory of the importance average, default 0.85: higher = smoother.',
  }),
  adaBeta2: real({
    label: 'AdaLoRA beta 2',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    default: 0.85,
    min: 0.01,
    max: 0.999,
    help: "Memory of the importance's uncertainty, default 0.85: higher = smoother.",
  }),
  adaOrthogonality: real({
    label: 'AdaLoRA orthogonality',
    group: 'method',
    appliesWhen: adaLoraOnly,
    advanced: true,
    default: 0.5,
    min: 0,
    max: 100,
    help: 'Weight of the regulariser that keeps ranks apart from each other, default 0.5: higher = more different ranks.',
  }),
  baseWeights: choice<'auto' | 'float32' | '8bit' | '4bit'>({
    label: 'Base weights',
    group: 'method',
    appliesWhen: loraOnly,
    advanced: true,
    default: 'auto',
    choices: [
      { value: 'auto', label: 'Automatic' },
      { value: 'float32', label: '32 bit' },
      { value: '8bit', label: '8 bit (integer products)' },
      { value: '4bit', label: '4 bit (QLoRA)' },
    ],
    help: 'How the frozen weights are held in memory during training, default automatic: 8bit = a quarter of the memory of linear layers and integer products, faster on processors with instructions for them; 4bit = about a sixth of the memory; a GGUF file keeps its own blocks, other models are rounded to 4 bit.',
  }),
  learningRate: real({
    label: 'Learning rate',
    group: 'optimizer',
    advanced: false,
    default: 2e-4,
    min: 1e-8,
    max: 1,
    help: 'Peak step size of the optimizer, default 2e-4 for LoRA (use about 2e-5 for full, and a tenth of either for DPO): higher = faster, less stable.',
  }),
  schedule: choice<'cosine' | 'linear' | 'constant'>({
    label: 'Schedule',
    group: 'optimizer',
    advanced: true,
    default: 'cosine',
    choices: [
      { value: 'cosine', label: 'Cosine to zero' },
      { value: 'linear', label: 'Linear to zero' },
      { value: 'constant', label: 'Constant' },
    ],
    help: 'How the learning rate falls after warmup, default cosine.',
  }),
  warmupRatio: real({
    label: 'Warmup ratio',
    group: 'optimizer',
    advanced: true,
    default: 0.05,
    min: 0,
    max: 1,
    help: 'Share of the steps over which the learning rate rises from zero, default 0.05: higher = gentler start.',
  }),
  weightDecay: real({
    label: 'Weight decay',
    group: 'optimizer',
    advanced: true,
    default: 0,
    min: 0,
    max: 1,
    help: 'Decoupled shrinking of weights each step, default 0: higher = more regularisation.',
  }),
  beta1: real({
    label: 'AdamW beta 1',
    group: 'optimizer',
    advanced: true,
    default: 0.9,
    min: 0,
    max: 0.9999,
    help: 'Memory of the gradient average, default 0.9: higher = smoother.',
  }),
  beta2: real({
    label: 'AdamW beta 2',
    group: 'optimizer',
    advanced: true,
    default: 0.999,
    min: 0,
    max: 0.99999,
    help: 'Memory of the squared-gradient average, default 0.999: higher = steadier step sizes.',
  }),
  clipNorm: real({
    label: 'Gradient clipping',
    group: 'optimizer',
    advanced: true,
    default: 1,
    min: 0,
    max: 1000,
    help: 'Largest global gradient norm, default 1: lower = safer, slower; 0 turns clipping off.',
  }),
  epochs: real({
    label: 'Epochs',
    group: 'length',
    advanced: false,
    default: 3,
    min: 0.01,
    max: 1000,
    help: 'Passes over the training rows, default 3: more = better fit, then over-fitting.',
  }),
  maxSteps: open({
    label: 'Maximum steps',
    group: 'length',
    advanced: false,
    min: 1,
    max: 10_000_000,
    emptyText: 'by epochs',
    help: 'Stop after this many optimizer steps whatever the epochs say, default not set.',
  }),
  batchRows: whole({
    label: 'Batch rows',
    group: 'length',
    advanced: false,
    default: 4,
    min: 1,
    max: 1024,
    unit: 'rows',
    help: 'Rows of one context each that run together, default 4: higher = faster, more memory.',
  }),
  gradientAccumulation: whole({
    label: 'Gradient accumulation',
    group: 'length',
    advanced: true,
    default: 1,
    min: 1,
    max: 1024,
    help: 'Batches summed before each optimizer step, default 1: higher = larger effective batch at the same memory.',
  }),
  contextTokens: whole({
    label: 'Context',
    group: 'length',
    advanced: false,
    default: 512,
    min: 8,
    max: 131072,
    unit: 'tokens',
    help: 'Longest sequence trained on in tokens, default 512: higher = longer examples fit, more memory.',
  }),
  packing: flag({
    label: 'Packing',
    group: 'length',
    advanced: true,
    default: true,
    help: 'Put several short examples into one row, each seeing only itself, default on: off = padding, slower.',
  }),
  trainOn: choice<'assistant' | 'all'>({
    label: 'Train on',
    group: 'data',
    appliesWhen: { objective: ['sft', 'distill'] },
    advanced: true,
    default: 'assistant',
    choices: [
      { value: 'assistant', label: 'Assistant tokens' },
      { value: 'all', label: 'All tokens' },
    ],
    help: 'Tokens that count in the loss, default assistant tokens including the end token.',
  }),
  splitBy: choice<'question' | 'nearDuplicates'>({
    label: 'Keep together',
    group: 'evaluation',
    advanced: true,
    default: 'question',
    choices: [
      { value: 'question', label: 'Equal questions' },
      { value: 'nearDuplicates', label: 'Nearly equal rows too' },
    ],
    help: 'Which rows never stand on both sides of the split, default those with equal questions; nearDuplicates = rows that are 80 % equal too, so that nothing held out is nearly learned.',
  }),
  reviewedRows: choice<'notRejected' | 'accepted' | 'ignore'>({
    label: 'Reviewed rows',
    group: 'data',
    advanced: true,
    default: 'notRejected',
    choices: [
      { value: 'notRejected', label: 'All but rejected' },
      { value: 'accepted', label: 'Accepted only' },
      { value: 'ignore', label: 'As the file has them' },
    ],
    help: 'What a run takes of a dataset with a review beside it, default all but rejected rows, edited ones as edited: accepted = trains on accepted and edited rows alone; ignore = the review does not count.',
  }),
  maxSyntheticShare: real({
    label: 'Most synthetic rows',
    group: 'data',
    advanced: true,
    default: 0.5,
    min: 0,
    max: 1,
    help: 'Most of the training rows that may be marked synthetic, as a share, default 0.5: lower = less of what a program made; such rows are never held out.',
  }),
  replayRatio: real({
    label: 'Replay share',
    group: 'data',
    advanced: true,
    default: 0.3,
    min: 0,
    max: 0.95,
    help: 'Share of the training rows that a run on new rows alone takes from the rows before them, default 0.3: higher = forgets less, learns the new ones more slowly.',
  }),
  evalRatio: real({
    label: 'Held-out share',
    group: 'evaluation',
    advanced: false,
    default: 0.1,
    min: 0,
    max: 0.9,
    help: 'Share of rows kept out of training to measure the loss on, default 0.1; equal questions stay on one side.',
  }),
  testRatio: real({
    label: 'Test share',
    group: 'evaluation',
    advanced: true,
    default: 0,
    min: 0,
    max: 0.9,
    help: 'Share of rows no run ever sees before a final test, default 0.',
  }),
  evalEverySteps: open({
    label: 'Evaluate every',
    group: 'evaluation',
    advanced: true,
    min: 1,
    max: 1_000_000,
    unit: 'steps',
    emptyText: 'ten times a run',
    help: 'Steps between held-out evaluations, default a tenth of the run.',
  }),
  earlyStoppingPatience: whole({
    label: 'Early stopping patience',
    group: 'evaluation',
    advanced: true,
    default: 3,
    min: 0,
    max: 1000,
    unit: 'evaluations',
    help: 'Stop after this many evaluations without improvement, default 3; 0 turns early stopping off.',
  }),
  saveEverySteps: open({
    label: 'Checkpoint every',
    group: 'evaluation',
    advanced: true,
    min: 1,
    max: 1_000_000,
    unit: 'steps',
    emptyText: 'with each evaluation',
    help: 'Steps between checkpoints to resume from, default with each evaluation.',
  }),
  keepCheckpoints: whole({
    label: 'Checkpoints kept',
    group: 'evaluation',
    advanced: true,
    default: 2,
    min: 1,
    max: 100,
    help: 'Newest checkpoints kept on disk, default 2.',
  }),
  samplePrompts: {
    kind: 'texts',
    label: 'Sample prompts',
    group: 'evaluation',
    advanced: true,
    default: [] as readonly string[],
    help: 'Prompts answered at each evaluation, so that progress can be read, default none.',
  },
  seed: whole({
    label: 'Seed',
    group: 'data',
    advanced: true,
    default: 42,
    min: 0,
    max: 2_147_483_647,
    help: 'Start of every random choice, default 42: the same seed, data and machine give the same run.',
  }),
  device: choice<'auto' | Device>({
    label: 'Device',
    group: 'machine',
    advanced: true,
    default: 'auto',
    choices: [
      { value: 'auto', label: 'Automatic' },
      { value: 'cpu', label: 'CPU' },
      { value: 'webgpu', label: 'WebGPU (graphics card)' },
      { value: 'dml', label: 'DirectML (Windows)' },
      { value: 'coreml', label: 'CoreML (macOS)' },
    ],
    help: 'Where the run computes, default automatic: a graphics device that gives the gradients of the CPU and trains this model faster in a short trial, else the CPU; one that is named is refused where its gradients differ.',
  }),
  threads: open({
    label: 'Threads',
    group: 'machine',
    advanced: true,
    min: 1,
    max: 1024,
    emptyText: 'all cores',
    help: 'Processor threads, default one per core: fewer = the machine stays responsive.',
  }),
  memoryLimitBytes: open({
    label: 'Memory limit',
    group: 'machine',
    advanced: true,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'bytes',
    emptyText: '80 % of free memory',
    help: 'Most memory the run may plan for in bytes, default 80 % of what is free.',
  }),
  precision: choice<'auto' | 'float32' | 'bfloat16' | 'float16'>({
    label: 'Precision',
    group: 'machine',
    advanced: true,
    default: 'auto',
    choices: [
      { value: 'auto', label: 'Automatic' },
      { value: 'float32', label: '32 bit' },
      { value: 'bfloat16', label: 'bfloat16' },
      { value: 'float16', label: 'float16 (graphics cards)' },
    ],
    help: 'Arithmetic, default automatic: with PyTorch bfloat16 on graphics cards that have it, with the embedded engine float16 products where the device computes them right and faster, 32 bit elsewhere: 16 bit = faster, less exact, and half the memory with PyTorch.',
  }),
  gradientCheckpointing: flag({
    label: 'Gradient checkpointing',
    group: 'machine',
    appliesWhen: pytorchOnly,
    advanced: true,
    default: false,
    help: 'Compute each layer again in the backward pass of the PyTorch engine instead of keeping what it computed, default off: on = far less memory, about a quarter slower.',
  }),
  launcher: choice<'python' | 'torchrun' | 'accelerate'>({
    label: 'Launcher',
    group: 'machine',
    appliesWhen: pytorchOnly,
    advanced: true,
    default: 'python',
    choices: [
      { value: 'python', label: 'One process' },
      { value: 'torchrun', label: 'torchrun' },
      { value: 'accelerate', label: 'accelerate launch' },
    ],
    help: 'What starts the processes of the PyTorch engine, default one process alone: torchrun or accelerate = several, on one host or many.',
  }),
  processes: whole({
    label: 'Processes a host',
    group: 'machine',
    appliesWhen: severalProcesses,
    advanced: true,
    default: 1,
    min: 1,
    max: 1024,
    help: 'Processes on each host, default 1, usually one a graphics card: each takes a batch of every step, so that twice as many learn from twice the rows.',
  }),
  hosts: whole({
    label: 'Hosts',
    group: 'machine',
    appliesWhen: severalProcesses,
    advanced: true,
    default: 1,
    min: 1,
    max: 4096,
    help: 'Machines that train together, default 1: the same command runs on each with NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT set.',
  }),
  maxRestarts: whole({
    label: 'Restarts',
    group: 'machine',
    appliesWhen: severalProcesses,
    advanced: true,
    default: 0,
    min: 0,
    max: 1000,
    help: 'How often the processes are started again from the last checkpoint when one of them fails, default 0.',
  }),
  sharding: choice<'none' | 'fsdp' | 'deepspeed'>({
    label: 'Sharding',
    group: 'machine',
    appliesWhen: severalProcesses,
    advanced: true,
    default: 'none',
    choices: [
      { value: 'none', label: 'None (DDP)' },
      { value: 'fsdp', label: 'FSDP2' },
      { value: 'deepspeed', label: 'DeepSpeed ZeRO' },
    ],
    help: 'Whether the processes share one copy of model and optimizer between them, default none: each has its own (DDP); FSDP2 or DeepSpeed = models larger than one card.',
  }),
  shardingConfig: names({
    label: 'Sharding file',
    group: 'machine',
    appliesWhen: { ...severalProcesses, sharding: ['fsdp', 'deepspeed'] },
    advanced: true,
    pattern: /^[^,\n]{1,4096}$/,
    words: 'the path of a JSON file',
    emptyText: 'our settings',
    help: "A JSON file of Transformers' fsdp_config or of DeepSpeed, passed through, default settings of ours: FSDP2 with whole layers, ZeRO stage 3.",
  }),
  launcherConfig: names({
    label: 'accelerate file',
    group: 'machine',
    appliesWhen: { engine: ['auto', 'pytorch'], launcher: ['accelerate'] },
    advanced: true,
    pattern: /^[^,\n]{1,4096}$/,
    words: 'the path of a YAML file',
    emptyText: 'none',
    help: 'A configuration file of accelerate launch, passed through, default none.',
  }),
} as const satisfies Record<string, Setting>;

export type HyperparameterName = keyof typeof hyperparameterTable;
export const hyperparameterNames = Object.keys(hyperparameterTable) as HyperparameterName[];

const table = hyperparameterTable;
const ranged = (s: { readonly min: number; readonly max: number }) => z.number().min(s.min).max(s.max);
const rangedInteger = (s: { readonly min: number; readonly max: number }) => ranged(s).int();
const values = <T extends string>(s: { readonly choices: readonly { readonly value: T }[] }) =>
  z.enum(s.choices.map(c => c.value) as [T, ...T[]]);

const namesIn = (s: { readonly pattern: RegExp }) => z.array(z.string().regex(s.pattern)).max(100);

export const hyperparametersSchema = z.strictObject({
  engine: values(table.engine).default(table.engine.default),
  // Older recipes know neither objectives nor what belongs to them.
  objective: values(table.objective).default(table.objective.default),
  dpoBeta: ranged(table.dpoBeta).default(table.dpoBeta.default),
  dpoLabelSmoothing: ranged(table.dpoLabelSmoothing).default(table.dpoLabelSmoothing.default),
  rpoAlpha: ranged(table.rpoAlpha).default(table.rpoAlpha.default),
  distillAlpha: ranged(table.distillAlpha).default(table.distillAlpha.default),
  distillTemperature: ranged(table.distillTemperature).default(table.distillTemperature.default),
  distillTopK: rangedInteger(table.distillTopK).default(table.distillTopK.default),
  method: values(table.method),
  rank: rangedInteger(table.rank),
  alpha: ranged(table.alpha),
  targetModules: z.array(z.enum(linearLayers)).min(1),
  layersToTransform: namesIn(table.layersToTransform).default([]),
  modulesToSave: namesIn(table.modulesToSave).default([]),
  rsLora: z.boolean(),
  adaLora: z.boolean().default(false),
  adaTargetRank: rangedInteger(table.adaTargetRank).default(table.adaTargetRank.default),
  adaInitialSteps: rangedInteger(table.adaInitialSteps).nullable().default(null),
  adaFinalSteps: rangedInteger(table.adaFinalSteps).nullable().default(null),
  adaIntervalSteps: rangedInteger(table.adaIntervalSteps).default(table.adaIntervalSteps.default),
  adaBeta1: ranged(table.adaBeta1).default(table.adaBeta1.default),
  adaBeta2: ranged(table.adaBeta2).default(table.adaBeta2.default),
  adaOrthogonality: ranged(table.adaOrthogonality).default(table.adaOrthogonality.default),
  dora: z.boolean().default(false),
  dropout: ranged(table.dropout).default(table.dropout.default),
  loraPlusRatio: ranged(table.loraPlusRatio).default(table.loraPlusRatio.default),
  baseWeights: values(table.baseWeights).default(table.baseWeights.default),
  learningRate: ranged(table.learningRate),
  schedule: values(table.schedule),
  warmupRatio: ranged(table.warmupRatio),
  weightDecay: ranged(table.weightDecay),
  beta1: ranged(table.beta1),
  beta2: ranged(table.beta2),
  clipNorm: ranged(table.clipNorm),
  epochs: ranged(table.epochs),
  maxSteps: rangedInteger(table.maxSteps).nullable(),
  batchRows: rangedInteger(table.batchRows),
  gradientAccumulation: rangedInteger(table.gradientAccumulation),
  contextTokens: rangedInteger(table.contextTokens),
  packing: z.boolean(),
  trainOn: values(table.trainOn),
  // Older recipes have neither.
  splitBy: values(table.splitBy).default(table.splitBy.default),
  reviewedRows: values(table.reviewedRows).default(table.reviewedRows.default),
  maxSyntheticShare: ranged(table.maxSyntheticShare).default(table.maxSyntheticShare.default),
  replayRatio: ranged(table.replayRatio).default(table.replayRatio.default),
  evalRatio: ranged(table.evalRatio),
  testRatio: ranged(table.testRatio),
  evalEverySteps: rangedInteger(table.evalEverySteps).nullable(),
  earlyStoppingPatience: rangedInteger(table.earlyStoppingPatience),
  saveEverySteps: rangedInteger(table.saveEverySteps).nullable(),
  keepCheckpoints: rangedInteger(table.keepCheckpoints),
  samplePrompts: z.array(z.string().min(1).max(10_000)).max(20),
  seed: rangedInteger(table.seed),
  device: values(table.device),
  threads: rangedInteger(table.threads).nullable(),
  memoryLimitBytes: rangedInteger(table.memoryLimitBytes).nullable(),
  precision: values(table.precision).default(table.precision.default),
  gradientCheckpointing: z.boolean().default(false),
  launcher: values(table.launcher).default(table.launcher.default),
  processes: rangedInteger(table.processes).default(table.processes.default),
  hosts: rangedInteger(table.hosts).default(table.hosts.default),
  maxRestarts: rangedInteger(table.maxRestarts).default(table.maxRestarts.default),
  sharding: values(table.sharding).default(table.sharding.default),
  shardingConfig: namesIn(table.shardingConfig).default([]),
  launcherConfig: namesIn(table.launcherConfig).default([]),
});

export type Hyperparameters = z.infer<typeof hyperparametersSchema>;

/** What `baseWeights: auto` is resolved to before a run begins. */
export const baseWeightsChoices = ['float32', '8bit', '4bit'] as const satisfies readonly Exclude<
  Hyperparameters['baseWeights'],
  'auto'
>[];
export type BaseWeights = (typeof baseWeightsChoices)[number];

/** The recipe nobody touched. */
export const defaultHyperparameters: Hyperparameters = hyperparametersSchema.parse(
  Object.fromEntries(
    hyperparameterNames.map(name => {
      const value = table[name].default;
      return [name, Array.isArray(value) ? [...value] : value];
    }),
  ),
);

/** Whether a setting does anything beside the others' values: LoRA's rank has no effect on full fine-tuning. */
export function hasEffect(name: HyperparameterName, values: Hyperparameters): boolean {
  const s: Setting = table[name];
  return Object.entries(s.appliesWhen ?? {}).every(([other, allowed]) => {
    const value = values[other as HyperparameterName];
    return (typeof value === 'string' || typeof value === 'boolean') && allowed.includes(value);
  });
}

export type SettingProblem = { readonly name: string; readonly message: string };

/** What is wrong with one value, in words for the form and the command line; undefined when it is fine. */
export function checkHyperparameter(name: HyperparameterName, value: unknown): string | undefined {
  const result = hyperparametersSchema.shape[name].safeParse(value);
  if (result.success) return undefined;
  const s: Setting = table[name];
  const got = value === undefined ? 'nothing' : JSON.stringify(value);
  switch (s.kind) {
    case 'number':
      return `expected a number from ${s.min} to ${s.max}, got ${got}`;
    case 'integer':
      return `expected a whole number from ${s.min} to ${s.max}, got ${got}`;
    case 'optionalInteger':
      return `expected a whole number from ${s.min} to ${s.max} or nothing (${s.emptyText}), got ${got}`;
    case 'choice':
      return `expected one of ${s.choices.map(c => c.value).join(', ')}, got ${got}`;
    case 'flag':
      return `expected true or false, got ${got}`;
    case 'layers':
      return `expected at least one of ${linearLayers.join(', ')}, got ${got}`;
    case 'names':
      return `expected up to 100 ${s.words}, or nothing (${s.emptyText}), got ${got}`;
    case 'texts':
      return `expected up to 20 non-empty texts, got ${got}`;
  }
}

/** The value that the text `text` (a form field, `--set name=text`) stands for; unparsable text comes back as it is and fails the check. */
export function parseHyperparameter(name: HyperparameterName, text: string): unknown {
  const s: Setting = table[name];
  const trimmed = text.trim();
  switch (s.kind) {
    case 'number':
    case 'integer':
      return trimmed === '' || Number.isNaN(Number(trimmed)) ? text : Number(trimmed);
    case 'optionalInteger':
      if (trimmed === '' || trimmed === 'null') return null;
      return Number.isNaN(Number(trimmed)) ? text : Number(trimmed);
    case 'flag':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : text;
    case 'choice':
      return trimmed;
    case 'layers':
      return trimmed === 'all' ? [...linearLayers] : splitWords(trimmed);
    case 'names':
      return trimmed === s.emptyText ? [] : splitWords(trimmed);
    case 'texts':
      return text.split('\n').filter(t => t.trim() !== '');
  }
}

function splitWords(text: string): string[] {
  return text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '');
}
