import { expect, test } from 'vitest';
import { renderDeployment } from '../../../../cli/deploys/show-deployment.ts';
import { compareSizes } from '../../../../deploy/inspect.ts';
import type { DeploymentDetailBody } from '../../../../router/control/types.ts';

const nowMs = Date.parse('2026-01-01T00:01:00Z');
const deployment: DeploymentDetailBody = {
  id: '0123456789abcdef',
  app: 'shop',
  release: 'fedcba9876543210',
  commit: 'c'.repeat(40),
  subject: 'A change',
  ref: 'refs/heads/main',
  author: 'Test <test@example.invalid>',
  source: 'push',
  key: null,
  state: 'succeeded',
  step: 'done',
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:00:01Z',
  durationMs: 1_000,
  stepsMs: { queued: 1, build: 1_200 },
  error: null,
  note: null,
  live: true,
  functions: [],
};

test('renderDeployment shows what a deployment was, its steps and the change of each size', () => {
  const now = new Map([
    ['same', 1_000],
    ['more', 2_500],
    ['less', 100],
    ['added', 50],
  ]);
  const before = new Map([
    ['same', 1_000],
    ['more', 1_000],
    ['less', 300],
    ['removed', 10],
  ]);
  const text = renderDeployment({ ...deployment, functions: compareSizes(now, before) }, { nowMs });
  expect(text).toBe(
    `deployment  0123456789abcdef (push)
state       live
release     fedcba9876543210
commit      cccccccc A change
author      Test <test@example.invalid>
started     1 min ago
took        1.0 s
steps       queued 1 ms, build 1.2 s

FUNCTION  SIZE    CHANGE
same      1.0 KB  -
more      2.5 KB  +1.5 KB
less      0.1 KB  -0.2 KB
added     0.1 KB  new
removed   -       gone`,
  );
});

test('renderDeployment shows where one is that runs, and why one has failed', () => {
  const running = { ...deployment, live: false, state: 'running', step: 'build', functions: null } as const;
  expect(renderDeployment(running, { nowMs })).toContain('state       running: build\n');
  const failed = { ...running, state: 'failed', error: 'It does not build' } as const;
  expect(renderDeployment(failed, { nowMs })).toContain('state       failed\nerror       It does not build\n');
});
