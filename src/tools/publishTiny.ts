/** The trained tiny model as it ships in media/tiny: weights in float16, everything else as it was started, and a card. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeFloats } from '../core/formats/encodeFloats.ts';
import { openSafetensors } from '../core/formats/safetensors.ts';
import { writeSafetensors } from '../core/formats/writeSafetensors.ts';
import { listTextFiles, makeTinyStart, type TinyStart, tinyContextTokens, tinySeed } from './tinyModel.ts';

export interface TinyFacts {
  readonly settings: Readonly<Record<string, string | number>>;
  readonly steps: number;
  readonly heldOutLossNats: number;
  readonly startLossNats: number;
}

/** Gives the number of bytes written. @param trained a folder that full fine-tuning left */
export function publishTiny(trained: string, target: string, facts: TinyFacts, start = makeTinyStart()): number {
  mkdirSync(target, { recursive: true });
  const published: TinyStart = { ...start, config: { ...start.config, dtype: 'float16' } };
  const { tensors } = openSafetensors(join(trained, 'model.safetensors'));
  let parameters = 0;
  try {
    const halved = tensors.names.map(name => {
      const { shape } = tensors.info(name);
      parameters += shape.reduce((product, n) => product * n, 1);
      return { name, dtype: 'F16' as const, shape, readPieces: () => [encodeFloats(tensors.readFloat32(name), 'F16')] };
    });
    writeSafetensors(join(target, 'model.safetensors'), halved, { format: 'pt' });
  } finally {
    tensors.close();
  }
  const files = [...listTextFiles(published), ['README.md', writeCard(published, parameters, facts)] as const];
  for (const [name, text] of files) writeFileSync(join(target, name), text);
  return ['model.safetensors', ...files.map(([name]) => name)].reduce(
    (sum, name) => sum + statSync(join(target, name)).size,
    0,
  );
}

function writeCard({ corpus, tokenizer, config }: TinyStart, parameters: number, facts: TinyFacts): string {
  const size = `${(parameters / 1e6).toFixed(2)} million parameters`;
  return `---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
language: en
tags: [tuning-fork]
---

# Tuning Fork's tiny chat model

A Llama-architecture chat model of ${size} (${config.num_hidden_layers} layers, hidden size ${config.hidden_size}, ${tokenizer.vocabularySize} tokens of byte-level BPE, ChatML),
so small that fine-tuning it takes a minute on two processor cores. It makes the first run work offline; it is a demonstration,
not an assistant: it answers simple questions about everyday things in one short sentence, and knows nothing else.

## How it was made

From nothing but this project: \`npm run tiny\` writes ${corpus.length.toLocaleString('en')} short conversations with the grammar in \`src/tools/tinyCorpus\`
(seed ${tinySeed}), trains the tokenizer on them, draws random weights from the same seed and trains all of them with Tuning Fork's own
engine (\`--set method=full\`), ${facts.steps} steps of contexts of ${tinyContextTokens} tokens. The weights are stored in float16.

| setting | value |
|---|---|
${Object.entries(facts.settings)
  .map(([name, value]) => `| ${name} | ${value} |`)
  .join('\n')}

Loss on held-out conversations: ${facts.startLossNats.toFixed(3)} nats a token before training, ${facts.heldOutLossNats.toFixed(3)} after.

## Licence

Apache-2.0, text and weights, like the project.
`;
}
