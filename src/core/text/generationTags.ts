/** @file A chat template -> the same without `{% generation %}`, which marks answers for training and which few renderers know. */

/** White space around the tags is trimmed as they ask for it. */
export function withoutGenerationTags(template: string): string {
  return template
    .replace(/\{%([-+]?)\s*generation\s*([-+]?)%\}/g, '{%$1 if true $2%}')
    .replace(/\{%([-+]?)\s*endgeneration\s*([-+]?)%\}/g, '{%$1 endif $2%}');
}
