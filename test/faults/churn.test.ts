import { afterAll, beforeAll, expect, test } from 'vitest';
import { churn, victimFiles } from '../soak/churn.ts';
import { startSoakApp, type SoakApp } from '../soak/soak-app.ts';
import { trendsOf } from '../soak/usage.ts';

let app: SoakApp;

beforeAll(async () => {
  app = await startSoakApp(victimFiles());
});
afterAll(() => app?.[Symbol.asyncDispose]());

// `npm run soak -- churn` does 2,000 and 10,000.
test('44: 100 deaths of threads and 60 switches leave memory, files and threads as they were', async () => {
  const { daemon, host, hostReplaced } = await churn(app, { kills: 100, swaps: 60 });
  expect(hostReplaced).toBe(false);
  for (const [name, samples] of Object.entries({ daemon, host })) {
    for (const [figure, trend] of Object.entries(trendsOf(samples)))
      expect(trend, `${name}: ${figure}`).toMatchObject({ flat: true });
  }
}, 120_000);
