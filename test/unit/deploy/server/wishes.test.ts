import { describe, expect, it } from 'vitest';
import { defaultWishes, mergeWishes, parseWishes } from '../../../../deploy/server/wishes.ts';

describe('what a machine is asked to be', () => {
  it('keeps what stands there where nothing else is said', () => {
    const kept = { domain: 'apps.example.no', database: 'none' as const, upgrade: false };
    expect(mergeWishes({ database: 'mysql', upgrade: true }, kept)).toEqual({
      ...defaultWishes,
      domain: 'apps.example.no',
      database: 'mysql',
    });
  });

  it('can take something back', () => {
    expect(mergeWishes({ domain: null }, { domain: 'apps.example.no' }).domain).toBeNull();
  });

  it('is not guessed when the file cannot be read', () => {
    expect(() => parseWishes('{"domain":', { where: 'there' })).toThrow(/there: it is no JSON object/);
    expect(() => parseWishes('[]', { where: 'there' })).toThrow(/mend it|no JSON object/);
  });
});
