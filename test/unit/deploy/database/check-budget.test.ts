import { expect, test } from 'vitest';
import { checkBudget } from '../../../../deploy/database/check-budget.ts';

const server = '127.0.0.1:3306';

test('budgets fit as long as their sum leaves the operator its connections', () => {
  const budgets = [
    { app: 'blog', connections: 121 },
    { app: 'shop', connections: 20 },
  ];
  expect(checkBudget({ server, maxConnections: 151, budgets })).toEqual({
    fits: true,
    sum: 'blog 121 + shop 20 = 141 of 141 (151 less 10 for the operator)',
  });
  budgets[1]!.connections++;
  expect(checkBudget({ server, maxConnections: 151, budgets })).toEqual({
    fits: false,
    sum: 'blog 121 + shop 21 = 142 of 141 (151 less 10 for the operator)',
  });
});

test('one app is shown without a sum, and a server smaller than its reserve has room for nobody', () => {
  expect(checkBudget({ server, maxConnections: 8, budgets: [{ app: 'shop', connections: 1 }] })).toEqual({
    fits: false,
    sum: 'shop 1 of 0 (8 less 10 for the operator)',
  });
});
