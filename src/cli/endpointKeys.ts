/** A key that an environment variable holds -> the servers that a pipeline asks. Only by a person's word: the file names the servers. */
import type { EndpointKeys } from '../shared/endpointKeys.ts';
import { TuneError } from '../shared/errors.ts';
import { listEndpoints, type PipelineStage } from '../shared/pipeline.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import type { Output } from './output.ts';

export const keyOption: CommandOption = {
  name: 'key-env',
  value: 'NAME',
  help: 'Variable that holds the key of the endpoints that teach in the pipeline; without it none is sent.',
};

/** @throws TuneError `usage` for a variable that is not set */
export function readEndpointKeys(
  args: CommandArguments,
  stages: readonly Pick<PipelineStage, 'teacher'>[],
  output: Output,
): EndpointKeys {
  const variable = args.one('key-env');
  if (variable === undefined) return [];
  const key = process.env[variable];
  if (key === undefined || key === '') {
    throw new TuneError('usage', `--key-env: expected a variable that is set, got ${variable}`);
  }
  const origins = listEndpoints(stages);
  output.say(`The key in ${variable} goes to ${origins.join(', ') || 'nobody: no stage asks an endpoint'}.`);
  return origins.map(origin => ({ origin, key }));
}
