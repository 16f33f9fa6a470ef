// @ts-check
/**
 * README.md as the editor shows it for an installed extension. It shows pictures from https addresses alone, neither
 * files of the package nor data, and there is nothing that a relative link could point to: what stands between the marks
 * for pictures is left out, and relative links become plain text.
 */

const pictures = /<!-- pictures: begin -->[\s\S]*?<!-- pictures: end -->\n*/g;
const relativeLink = /\[([^\]]+)\]\((?![a-z]+:|#)[^)]*\)/g;

/** @param {string} readme */
export function writePackagedReadme(readme) {
  return readme.replace(pictures, '').replace(relativeLink, '$1');
}
