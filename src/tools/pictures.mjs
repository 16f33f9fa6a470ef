// @ts-check
/** `npm run pictures`: takes README's pictures anew, of the packaged extension in real VS Code in a browser. */
import { join } from 'node:path';
import { installChromium } from './chromium.mjs';
import { installPackages } from './installPackages.mjs';
import { root } from './paths.mjs';
import { forwardSignals, runCommand } from './runCommand.mjs';
import { installVscode } from './vscode.mjs';

forwardSignals();
try {
  await installPackages();
  await installVscode();
  const env = { ...process.env, CHROMIUM: await installChromium() };
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { code } = await runCommand([process.execPath, vitest, 'run', '--project', 'pictures'], { cwd: root, env });
  process.exitCode = code;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
