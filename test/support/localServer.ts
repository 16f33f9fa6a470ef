/** A program of others that serves on a port of this machine, for as long as a test needs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LocalServer {
  readonly uri: string;
  stop(): Promise<void>;
}

export interface LocalServerPlan {
  readonly program: string;
  readonly args: (port: number) => readonly string[];
  readonly folder: string;
  /** Answers when the server is ready. */
  readonly healthPath: string;
  readonly env?: NodeJS.ProcessEnv;
}

const startTimeoutMs = 120_000;

export async function startLocalServer({
  program,
  args,
  folder,
  healthPath,
  env,
}: LocalServerPlan): Promise<LocalServer> {
  const port = await findPort();
  const child = spawn(program, args(port), {
    cwd: folder,
    env: { ...process.env, ...env },
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
    if (await isHealthy(`${uri}${healthPath}`)) return { uri, stop: () => stop(child) };
  }
  await stop(child);
  throw new Error(`${program} did not start to serve:\n${said}`);
}

async function isHealthy(uri: string): Promise<boolean> {
  try {
    return (await fetch(uri)).ok;
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
