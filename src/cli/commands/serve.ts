/** `tuning-fork serve`: an OpenAI-compatible endpoint on this machine for a model and its adapters. */
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import { type ServedRequest, type ServerOrder, serverDefaults } from '../../shared/serverProtocol.ts';
import { adapterOption, decodingOptions, modelOption, readPrecision, tellProgress } from '../answering.ts';
import type { Command, CommandArguments } from '../command.ts';
import type { Output } from '../output.ts';
import { runsOption } from '../runOptions.ts';
import { chooseServed } from '../servedModels.ts';
import { type ServerChild, startServerChild } from '../serverChild.ts';
import { keyOptions, readServerKey } from '../serverKey.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'Answer programs of this machine over the OpenAI protocol, with a model and its adapters.',
  usage: '[--model M] [--adapter RUN|DIR[+RUN|DIR]...]... [--port N] [--token-file FILE | --token-env NAME]',
  options: [
    modelOption,
    {
      ...adapterOption,
      isRepeatable: true,
      help: `${adapterOption.help} May be repeated; default: all finished runs on the model.`,
    },
    { name: 'port', value: 'N', help: 'Port on 127.0.0.1, default one that is free.' },
    ...keyOptions,
    ...decodingOptions
      .filter(({ name }) => ['temperature', 'float32'].includes(name))
      .map(option =>
        option.name === 'temperature' ? { ...option, help: `${option.help} For requests that name none.` } : option,
      ),
    {
      name: 'max-tokens',
      value: 'N',
      help: 'Most tokens of a chat answer whose request names no limit, default what the context leaves.',
    },
    { name: 'parallel', value: 'N', help: `Answers that decode at once, default ${serverDefaults.maxRows}.` },
    {
      name: 'queue',
      value: 'N',
      help: `Answers that wait behind them; more are refused with status 429. Default ${serverDefaults.maxWaiting}.`,
    },
    runsOption,
  ],
  maxPositionals: 0,
  details: 'Ends with Ctrl-C: answers under way get ten seconds to finish. A second Ctrl-C ends it at once.',
  run: async (args, output) => {
    const { key, isNew } = readServerKey(args);
    const order = readOrder(args, key);
    const server = startServerChild({
      'server/progress': ({ phase, done, total }) => tellProgress(output, phase, done, total),
      'server/request': request => tellRequest(output, request),
    });
    const interrupted = listenForEnd(server);
    try {
      const started = await Promise.race([server.call('server/start', order), interrupted.asked]);
      if (started === undefined) return exitCodes.interrupted;
      const { baseUrl, models, remarks } = started;
      for (const remark of remarks) output.say(remark);
      output.line({ type: 'server', baseUrl, models, ...(isNew ? { key } : {}) });
      output.say(`Serving ${models.join(', ')} at ${baseUrl}`);
      if (isNew) output.say(`Key, shown this once: ${key}`);
      const how = await Promise.race([interrupted.asked, server.ended]);
      if (how !== undefined) throw new TuneError('process-ended', `server: expected to run, got its end (${how})`);
      output.say('Stopping.');
      const served = await server.call('server/stop', { graceMs: serverDefaults.graceMs });
      output.line({ type: 'result', baseUrl, ...served });
      return exitCodes.done;
    } catch (error) {
      if (!interrupted.wasAsked()) throw error;
      return exitCodes.interrupted;
    } finally {
      interrupted.dispose();
      server.kill();
    }
  },
};

/** @throws TuneError `usage`, `run-invalid` */
function readOrder(args: CommandArguments, key: string): ServerOrder {
  return {
    ...chooseServed(args),
    key,
    port: args.integer('port', 0, 65_535) ?? 0,
    hub: null,
    weights: readPrecision(args).weights ?? 'stored',
    temperature: args.number('temperature', 0, 2) ?? 0,
    maxTokens: args.integer('max-tokens', 1, 1_000_000) ?? null,
    maxRows: args.integer('parallel', 1, 256) ?? serverDefaults.maxRows,
    maxWaiting: args.integer('queue', 0, 100_000) ?? serverDefaults.maxWaiting,
  };
}

/** The first signal asks for an end in order, the second one ends it. */
function listenForEnd(server: ServerChild) {
  let wasAsked = false;
  let ask: () => void = () => undefined;
  const asked = new Promise<undefined>(resolve => {
    ask = () => resolve(undefined);
  });
  const interrupt = (): void => {
    if (wasAsked) server.kill();
    wasAsked = true;
    ask();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const name of signals) process.on(name, interrupt);
  return {
    asked,
    wasAsked: () => wasAsked,
    dispose: () => {
      for (const name of signals) process.off(name, interrupt);
    },
  };
}

function tellRequest(output: Output, request: ServedRequest): void {
  output.line({ type: 'request', ...request });
  const { method, path, status, model, promptTokens, outputTokens, elapsedMs, isCut } = request;
  const tokens = promptTokens + outputTokens > 0 ? `, ${promptTokens} + ${outputTokens} tokens` : '';
  const end = isCut ? ', client left' : '';
  output.say(`${method} ${path} ${status}${model === null ? '' : ` ${model}`}${tokens}, ${elapsedMs} ms${end}`);
}
