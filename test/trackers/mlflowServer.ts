/** A real MLflow server on this machine, with its data in a folder. */
import { join } from 'node:path';
import { type LocalServer, startLocalServer } from '../support/localServer.ts';

export function startMlflowServer(python: string, folder: string): Promise<LocalServer> {
  return startLocalServer({
    program: python,
    args: port => [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--artifacts-destination', join(folder, 'files')],
    ],
    folder,
    healthPath: '/health',
    env: { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
  });
}
