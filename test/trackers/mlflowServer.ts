/** A real MLflow server on this machine, with its data in a folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface MlflowServer {
  readonly uri: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 120_000;

export async function startMlflowServer(python: string, folder: string): Promise<MlflowServer> {
  const port = await findPort();
  const args = ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const stores = [
    '--backend-store-uri',
    `sqlite:///${join(folder, 'mlflow.db')}`,
    '--artifacts-destination',
    join(folder, 'files'),
  ];
  const child = spawn(python, [...args, ...stores], {
    cwd: folder,
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // its workers end with its group
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const uri = `http://127.0.0.1:${port}`;
  for (const start = performance.now(); performance.now() - start < startTimeoutMs; await sleep(200)) {
    if (child.exitCode !== null) break;
    if (await isHealthy(uri)) return { uri, stop: () => stop(child) };
  }
  await stop(child);
  throw new Error(`MLflow's server did not start:\n${said}`);
}

async function isHealthy(uri: string): Promise<boolean> {
  try {
    return (await fetch(`${uri}/health`)).ok;
  } catch {
    return false; // not listening yet
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

function findPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
