/**
 * @file Serves the pages to a plain browser under the security policy of a webview: bundles them from source, dresses
 * them in a theme, and puts a fake host in front. `/form?state=ready&theme=dark`
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Theme, themes } from './themes.ts';

export const pageNames = ['form', 'run', 'study', 'evaluation', 'compare', 'dataset'] as const;
export type PageName = (typeof pageNames)[number];

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');

/** Bundles the pages and listens on a free port of 127.0.0.1. */
export async function startPageServer(): Promise<PageServer> {
  const folder = join(root, '.cache/webview-pages');
  await build({
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    logLevel: 'warning',
    absWorkingDir: root,
    entryPoints: {
      ...Object.fromEntries(pageNames.map(page => [page, `webview/${page}/main.ts`])),
      fakePage: 'test/webview/fakePage.ts',
    },
    outdir: folder,
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const file = /^\/(\w+)\.(js|css)$/.exec(url.pathname);
    const page = pageNames.find(name => url.pathname === `/${name}`);
    if (file) {
      response.setHeader('content-type', file[2] === 'js' ? 'text/javascript' : 'text/css');
      response.end(readFileSync(join(folder, url.pathname)));
    } else if (page) {
      const theme = themes[(url.searchParams.get('theme') ?? 'dark') as Theme['name']];
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.setHeader('content-security-policy', policy);
      response.end(writePage(page, theme));
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  };
}

/** As strict as in the editor: no inline style, no code from strings, nothing from elsewhere. */
const nonce = 'ZmFrZS1ub25jZQ';
const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'`;

function writePage(page: PageName, theme: Theme): string {
  const variables = Object.entries(theme.variables).map(([name, value]) => `--vscode-${name}: ${value};`);
  const surface = page === 'form' ? 'sideBar-background' : 'editor-background';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page}</title>
<style nonce="${nonce}">html { ${variables.join(' ')} background: var(--vscode-${surface}); }</style>
<link rel="stylesheet" href="/${page}.css">
</head>
<body class="${theme.kind}" data-vscode-theme-kind="${theme.kind}" data-page="${page}">
<div id="root"></div>
<script nonce="${nonce}" src="/fakePage.js"></script>
<script nonce="${nonce}" src="/${page}.js"></script>
</body>
</html>`;
}
