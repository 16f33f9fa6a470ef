/** `tuning-fork generate`: a prompt -> the answer of a base or tuned model. */
import { askQuestion } from '../../core/infer/encodePrompt.ts';
import { generateText } from '../../core/infer/generateText.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import {
  adapterOption,
  chooseAdapter,
  chooseModel,
  createModelPool,
  decodingOptions,
  modelOption,
  readDecoding,
  readPrecision,
} from '../answering.ts';
import type { Command } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import { runsOption } from '../runOptions.ts';

export const generate: Command = {
  name: 'generate',
  summary: 'Answer a prompt with a model, or with an adapter on it.',
  usage:
    '--model M [--adapter RUN|DIR[+RUN|DIR]...] --prompt TEXT [--system TEXT] [--max-tokens N] [--temperature X] [--seed N]',
  options: [
    modelOption,
    adapterOption,
    { name: 'prompt', value: 'TEXT', help: 'What the user says.' },
    { name: 'system', value: 'TEXT', help: 'What the system says before.' },
    ...decodingOptions,
    runsOption,
  ],
  maxPositionals: 0,
  run: (args, output) =>
    interruptible(output, async signal => {
      const prompt = args.required('prompt');
      const settings = readDecoding(args);
      const named = args.one('adapter');
      const adapter = named === undefined ? null : chooseAdapter(named, args);
      const model = chooseModel(args, adapter?.paths ?? []);
      const pool = createModelPool(output, readPrecision(args));
      try {
        const attached = await pool.attach(model, adapter?.paths ?? null, signal);
        const {
          text,
          tokenIds: _,
          stopReason,
          ...stats
        } = await generateText(attached.session, {
          messages: askQuestion(prompt, args.one('system')),
          adapter: attached.adapter,
          settings,
          signal,
          onText: piece => output.stream(piece),
        });
        output.stream('\n');
        const seconds = (stats.firstTokenMs / 1000).toFixed(2);
        output.say(
          `${stats.promptTokens} + ${stats.outputTokens} tokens, first after ${seconds} s, then ${stats.tokensPerSecond.toFixed(1)} tokens/s (${stopReason})`,
        );
        output.line({
          type: 'generation',
          adapter: adapter?.name ?? null,
          kind: adapter === null ? 'base' : 'adapter',
          prompt,
          text,
          ...stats,
        });
        if (!signal.aborted)
          output.line({ type: 'result', model, adapter: adapter?.name ?? null, text, stopReason, ...stats });
        return exitCodes.done;
      } finally {
        await pool.release();
      }
    }),
};
