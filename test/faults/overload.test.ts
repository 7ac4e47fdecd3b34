import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimsOf, narrowFiles, overload } from '../soak/overload.ts';
import { startSoakApp, type SoakApp } from '../soak/soak-app.ts';

let app: SoakApp;

beforeAll(async () => {
  app = await startSoakApp(narrowFiles());
});
afterAll(() => app?.[Symbol.asyncDispose]());

// `npm run soak -- overload` does so for a minute.
test('45: three times what a function can carry: it serves what it can, refuses the rest at once, and is well again', async () => {
  const result = await overload(app, { seconds: 5 });
  for (const [claim, holds] of claimsOf(result)) expect(holds, claim).toBe(true);
}, 120_000);
