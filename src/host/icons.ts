/** @file Our own pictures, one for each kind of theme. */
import { join } from 'node:path';
import * as vscode from 'vscode';

export function iconPath(
  context: vscode.ExtensionContext,
  name: 'run' | 'compare',
): { light: vscode.Uri; dark: vscode.Uri } {
  const file = (theme: string) =>
    vscode.Uri.file(join(context.extensionPath, 'media', 'icons', `${name}-${theme}.svg`));
  return { light: file('light'), dark: file('dark') };
}
