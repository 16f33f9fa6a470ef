/** @file What a tuned model can be exported as: form, command line, README and editor are drawn from this table. */

export const exportTypes = ['float32', 'float16', 'bfloat16', 'q8_0', 'q4_0'] as const;
export type ExportType = (typeof exportTypes)[number];

export interface ExportFormatEntry {
  readonly title: string;
  /** One line: who takes it. */
  readonly purpose: string;
  /** How weights may be stored, the usual one first; empty where the adapter's own stay. */
  readonly types: readonly ExportType[];
  /** Whether the base model stays apart: only then a full run has nothing to export. */
  readonly isAdapter: boolean;
}

export const exportFormats = {
  peft: {
    title: 'PEFT adapter',
    purpose: 'For transformers + PEFT, vLLM and TGI, beside the base model.',
    types: [],
    isAdapter: true,
  },
  merged: {
    title: 'Hugging Face model',
    purpose: 'Adapter merged into the base: for transformers, vLLM, TGI and for further training.',
    types: ['bfloat16', 'float16', 'float32'],
    isAdapter: false,
  },
  'gguf-lora': {
    title: 'GGUF adapter',
    purpose: 'For llama.cpp, beside the GGUF file of the base model.',
    types: [],
    isAdapter: true,
  },
  gguf: {
    title: 'GGUF model',
    purpose: 'Adapter merged into the base: for llama.cpp, Ollama and LM Studio.',
    types: ['float16', 'q8_0', 'q4_0', 'bfloat16', 'float32'],
    isAdapter: false,
  },
  onnx: {
    title: 'ONNX model',
    purpose: 'Adapter merged into the base: for transformers.js in the browser and in Node.',
    types: ['float32', 'float16'],
    isAdapter: false,
  },
} as const satisfies Record<string, ExportFormatEntry>;

export type ExportFormat = keyof typeof exportFormats;
export const exportFormatNames = Object.keys(exportFormats) as ExportFormat[];

/** Bytes of a weight. */
export const exportTypeBytes = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  q8_0: 34 / 32,
  q4_0: 18 / 32,
} as const satisfies Record<ExportType, number>;

/** How an export was compared with the tuned model before it was put in its place. */
export interface ExportCheck {
  /** What read and ran it. */
  readonly tool: string;
  /** Tokens whose logits were compared; 0 where memory was too small and only the weights were read back. */
  readonly tokens: number;
  /** Of these, those after which the likeliest token is the same. */
  readonly sameTokens: number;
  /** Distance of the logits over their spread. */
  readonly difference: number;
}

export interface ExportCommand {
  readonly label: string;
  /** As it is typed. */
  readonly text: string;
}

export interface ExportResult {
  /** The folder. */
  readonly path: string;
  readonly format: ExportFormat;
  readonly dtype: ExportType | null;
  readonly bytes: number;
  readonly check: ExportCheck;
  readonly commands: readonly ExportCommand[];
}
