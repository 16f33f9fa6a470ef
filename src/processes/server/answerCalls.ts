/** @file What the server process answers its parent: start, and stop in order. */
import { TuneError } from '../../shared/errors.ts';
import type { Handlers } from '../../shared/rpc.ts';
import type { ServerCalls, ServerEvents } from '../../shared/serverProtocol.ts';
import { Admission } from './admission.ts';
import { ApiServer } from './apiServer.ts';
import { ModelDirectory } from './modelDirectory.ts';

export type Emit = <K extends keyof ServerEvents & string>(name: K, payload: ServerEvents[K]) => void;

export function answerCalls(tinyFolder: string, emit: Emit): Handlers<ServerCalls> {
  let running: { readonly server: ApiServer; readonly directory: ModelDirectory } | undefined;
  let stopping: Promise<void> | undefined;
  const served = { requests: 0, outputTokens: 0 };

  return {
    'server/start': async order => {
      if (running !== undefined) throw new TuneError('internal', 'internal: server: expected one start, got another');
      const directory = new ModelDirectory(order, tinyFolder, (phase, done, total) =>
        emit('server/progress', { phase, done, total }),
      );
      const opened = await directory.open();
      const { key, port, maxRows, maxWaiting } = order;
      const server = await ApiServer.listen(
        {
          directory,
          admission: new Admission(maxRows + maxWaiting),
          defaults: order,
          key,
          onRequest: request => {
            served.requests++;
            served.outputTokens += request.outputTokens;
            emit('server/request', request);
          },
          onFailure: error => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`),
        },
        port,
      );
      running = { server, directory };
      return { ...opened, baseUrl: server.baseUrl, models: directory.list() };
    },
    'server/stop': async ({ graceMs }) => {
      stopping ??= (async () => {
        await running?.server.stop(graceMs);
        await running?.directory.release();
      })();
      await stopping;
      return served;
    },
  };
}
