/**
 * Loaded before a program with --import: counts its file operations on paths that contain FAULT_PATH and, at number
 * FAULT_AT (from 0), kills the process or fails them from there on with the code FAULT_KIND. With FAULT_LOG it writes each
 * operation's name to that file.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { FAULT_PATH: path = '', FAULT_AT: at = '-1', FAULT_KIND: kind = 'kill', FAULT_LOG: log = '' } = process.env;
const real = { ...fs };
const watched = new Set();
let count = 0;

function before(name) {
  if (log !== '') real.appendFileSync(log, `${name}\n`);
  const isDue =
    kind === 'kill' ? count === Number(at) : count >= Number(at) && Number(at) >= 0 && name.startsWith('write');
  count++;
  if (!isDue) return;
  if (kind === 'kill') process.kill(process.pid, 'SIGKILL');
  // A signal to the own process is delivered at once, but not necessarily before the next line of this thread.
  if (kind === 'kill') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw Object.assign(new Error(`${kind}: rehearsed`), { code: kind });
}

fs.openSync = (file, ...rest) => {
  const descriptor = real.openSync(file, ...rest);
  if (String(file).includes(path)) watched.add(descriptor);
  return descriptor;
};
fs.closeSync = descriptor => {
  watched.delete(descriptor);
  real.closeSync(descriptor);
};
for (const name of ['writeSync', 'writeFileSync', 'fsyncSync']) {
  fs[name] = (descriptor, ...rest) => {
    if (typeof descriptor === 'string' ? descriptor.includes(path) : watched.has(descriptor)) before(name);
    return real[name](descriptor, ...rest);
  };
}
fs.renameSync = (from, to) => {
  if (String(from).includes(path)) before('renameSync');
  real.renameSync(from, to);
};
syncBuiltinESMExports();
