// @ts-check
/**
 * `npm run bench:data`: how fast a large JSONL file is checked, and in how much memory. `-- --megabytes 2000` (the default) makes
 * the file in .cache and removes it; time is that of the processor (user and system), so that other work does not count.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { cacheFolder, root } from '../paths.mjs';
import { requireCommand } from '../runCommand.mjs';

const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '2000' } } });
const megabytes = Number(values.megabytes);
const folder = join(cacheFolder, 'bench-data');
const file = join(folder, 'rows.jsonl');

await requireCommand([process.execPath, 'esbuild.mjs'], { cwd: root });
mkdirSync(folder, { recursive: true });
try {
  console.log('| characters a row | rows | MB | MB a second of one core | peak memory |');
  console.log('|---|---|---|---|---|');
  for (const characters of [250, 1500]) {
    const rows = writeRows(characters);
    const { cpuSeconds, peakBytes, checked, bytes } = await check();
    if (checked !== rows) throw new Error(`${checked} rows were checked of ${rows}`);
    const speed = (bytes / 1e6 / cpuSeconds).toFixed(0);
    console.log(
      `| ${characters} | ${rows} | ${(bytes / 1e6).toFixed(0)} | ${speed} | ${(peakBytes / 1e6).toFixed(0)} MB |`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {number} characters @returns {number} rows written */
function writeRows(characters) {
  const descriptor = openSync(file, 'w');
  const answer = 'The ferry takes forty minutes in calm weather, "says" the keeper; h\u00e9 knows. '
    .repeat(20)
    .slice(0, characters - 60);
  let rows = 0;
  for (let written = 0; written < megabytes * 1e6; ) {
    let piece = '';
    while (piece.length < 1 << 20) piece += `${JSON.stringify({ question: `What is number ${rows++}?`, answer })}\n`;
    written += writeSync(descriptor, piece);
  }
  closeSync(descriptor);
  return rows;
}

/** `inspect` in a process of its own, which says at its end what it took. */
async function check() {
  const measure = `process.on('exit', () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    process.stderr.write(JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 }) + '\\n'); });`;
  const command = ['--import', `data:text/javascript,${encodeURIComponent(measure)}`, join(root, 'dist/cli.js')];
  const child = spawn(process.execPath, [...command, 'inspect', file, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let result = '';
  let usage = '';
  createInterface({ input: child.stdout }).on('line', line => (result = line));
  createInterface({ input: child.stderr }).on('line', line => (usage = line));
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  const { usableRows, fileBytes } = JSON.parse(result);
  return { ...JSON.parse(usage), checked: usableRows, bytes: fileBytes };
}
