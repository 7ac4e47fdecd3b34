import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdTable } from '../../../../runtime/channel/id-table.ts';

type Step = { kind: 'add' } | { kind: 'remove' | 'set' | 'look'; which: number };

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'add' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('remove', 'set', 'look'), which: fc.nat() }) },
) as fc.Arbitrary<Step>;

describe('IdTable', () => {
  it('holds what a Map would after any sequence of additions and removals', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const table = new IdTable<number>();
        // What the worker has: ids that another table gave out.
        const mirror = new IdTable<number>();
        const model = new Map<number, number>();
        let newest = 0;
        let at = 0;
        for (const { kind, ...rest } of steps) {
          at++;
          const ids = [...model.keys()];
          const id = 'which' in rest && ids.length > 0 ? ids[(rest as { which: number }).which % ids.length]! : 0;
          if (kind === 'add') {
            const fresh = table.add(at);
            expect(fresh).toBeGreaterThan(newest);
            newest = fresh;
            for (const each of [mirror, model]) each.set(fresh, at);
          } else if (kind === 'set' && id > 0) {
            for (const each of [table, mirror, model]) each.set(id, at);
          } else if (kind === 'remove') {
            const expected = model.delete(id);
            if (id > 0) expect([table.delete(id), mirror.delete(id)]).toEqual([expected, expected]);
          }
          expect([table.get(id), mirror.get(id)]).toEqual([model.get(id), model.get(id)]);
          expect([table.size, mirror.size]).toEqual([model.size, model.size]);
        }
        const sorted = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);
        expect(sorted(table.values())).toEqual(sorted(model.values()));
        expect(sorted(mirror.values())).toEqual(sorted(model.values()));
      }),
    );
  });

  it('knows no id again after it was removed, whatever took its place', () => {
    const table = new IdTable<string>();
    table.set(1, 'first');
    table.delete(1);
    table.set(65, 'second');
    expect([table.has(1), table.get(1), table.delete(1)]).toEqual([false, undefined, false]);
    expect(table.get(65)).toBe('second');
  });

  it('passes over the ids of places that are taken for long', () => {
    const table = new IdTable<string>();
    const stays = table.add('stays');
    for (let i = 0; i < 1000; i++) {
      const id = table.add('passes');
      expect(table.get(stays)).toBe('stays');
      table.delete(id);
    }
    expect(table.size).toBe(1);
  });

  it('tells ids apart beyond 32 bits, and grows no further for two that share a place for ever', () => {
    const table = new IdTable<string>();
    table.set(2 ** 32 + 1, 'a');
    expect([table.get(1), table.get(2 ** 32 + 1)]).toEqual([undefined, 'a']);
    expect(() => table.set(1, 'b')).toThrow('Cannot hold more than');
  });

  it('is empty after clear', () => {
    const table = new IdTable<string>();
    for (let i = 0; i < 100; i++) table.add('x');
    table.clear();
    expect([table.size, table.values(), table.has(1)]).toEqual([0, [], false]);
  });
});
