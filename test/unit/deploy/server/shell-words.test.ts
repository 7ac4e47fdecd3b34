import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteWords, shellCommand } from '../../../../deploy/server/shell-words.ts';

const argument = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\0'));

describe('words for a shell', () => {
  it('come through a shell as they were, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 4 }), (words) => {
        const script = shellCommand(`printf '%s\\0' ${quoteWords(words)}`);
        const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
        expect(stdout).toBe(words.map((word) => `${word}\0`).join(''));
      }),
      { numRuns: 12, examples: [[["it's", '', '\n', '$HOME `id` "x" \\ !!']], [['trailing\n\n']]] },
    );
  });

  it('hold nothing that login shells read in different ways', () => {
    const script = shellCommand(`echo ${quoteWords(["it's", '!history', 'a\nb', '\\'])}`);
    expect(script).toMatch(/^exec \/bin\/sh -c '[^'\\!\n]*'$/);
  });

  it('refuse a NUL, and what is too long for a command line', () => {
    expect(() => quoteWords(['a\0b'])).toThrow(expect.objectContaining({ code: 'FN_USAGE' }));
    expect(() => shellCommand('x'.repeat(100_000))).toThrow(/more than it takes/);
  });
});
