'use strict';

const fs = require('node:fs');

/**
 * The fenced code blocks of a Markdown file, in their order.
 *
 * @param {string} file
 * @returns {{ language: string, code: string, headings: string[], line: number }[]}
 *   `headings` are those that the block stands under, the outermost first; `line` is the fence's
 */
function codeBlocks(file) {
  const blocks = [];
  const headings = [];
  let open;
  for (const [index, line] of fs.readFileSync(file, 'utf8').split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(line);
    const heading = /^(#+) (.*)/.exec(line);
    if (open) {
      if (fence) {
        blocks.push({ ...open, code: open.lines.join('\n') });
        open = undefined;
      } else {
        open.lines.push(line);
      }
    } else if (fence) {
      open = { language: fence[1], headings: headings.filter(Boolean), line: index + 1, lines: [] };
    } else if (heading) {
      headings.length = heading[1].length - 1;
      headings.push(heading[2]);
    }
  }
  if (open) throw new Error(`${file}:${open.line}: the code block has no end`);
  return blocks;
}

/** The code of the only block (or, with `nth`, of that one) under a heading, in a language. */
function codeUnder(blocks, heading, language, nth = 0) {
  const found = blocks.filter(
    block => block.headings.includes(heading) && block.language === language,
  );
  if (!found[nth]) throw new Error(`no ${language} block ${nth} under '${heading}'`);
  return found[nth].code;
}

module.exports = { codeBlocks, codeUnder };
