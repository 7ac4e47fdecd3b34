import { describe, test } from 'vitest';
import { fetchFrom, type HttpTarget } from '../support/http.ts';
import { appHost, type Case, type Client, type Way } from './case.ts';
import { cases } from './cases.ts';
import { checkResponse } from './check-response.ts';

/** Declares one test per case. `target` is asked for when the tests run, after the server was started. */
export function runCases(way: Way, target: () => HttpTarget): void {
  describe.concurrent(`handlers through ${way}`, () => {
    test.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (_name, entry) => {
      await runCase(entry, createClient(way, target()));
    });
  });
}

async function runCase(entry: Case, client: Client): Promise<void> {
  if (entry.run !== undefined) return entry.run(client);
  checkResponse(await client.request(entry.request), entry.expect, client.way);
}

function createClient(way: Way, target: HttpTarget): Client {
  return {
    way,
    target,
    request: (request) => {
      const headers = request.headers ?? [];
      const named = headers.some(([name]) => name.toLowerCase() === 'host');
      return fetchFrom(target, { ...request, headers: named ? headers : [['Host', appHost], ...headers] });
    },
  };
}
