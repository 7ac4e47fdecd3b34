import { Agent } from 'node:http';
import { expect } from 'vitest';
import { headersProbes } from '../../fixtures/conformance/app/functions/fetch-api/headers-probes.ts';
import { requestProbes } from '../../fixtures/conformance/app/functions/fetch-api/request-probes.ts';
import { responseProbes } from '../../fixtures/conformance/app/functions/fetch-api/response-probes.ts';
import { runProbe, type Probe } from '../../fixtures/conformance/app/functions/fetch-api/run-probe.ts';
import { wireResponses } from '../../fixtures/conformance/app/functions/fetch-api/wire-responses.ts';
import { appHost, type Case } from '../case.ts';

const headers: [string, string][] = [
  ['X-B', '2'],
  ['x-a', '1'],
  ['X-A', 'one'],
  ['x-c', ' padded\t'],
  ['cookie', 'c=1; d=2'],
  ['content-type', 'application/json'],
];
const body = '{"a":["ä"]}';

/** What a probe sees with Node's own Request, Response and Headers. */
function natively(path: string, probe: Probe): Promise<string> {
  return runProbe(probe, new Request(`http://${appHost}${path}`, { method: 'POST', headers, body }));
}

/** Runs each probe in a handler and here, and compares all that differs at once. */
function sameAsNode(what: string, probes: Record<string, Probe>): Case {
  return {
    name: `fetch api: ${what} are as in Node`,
    run: async ({ request }) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 4 });
      const seen: Record<string, string> = {};
      const wanted: Record<string, string> = {};
      const compare = async ([name, probe]: [string, Probe]) => {
        const path = `/fetch-api?probe=${encodeURIComponent(name)}`;
        wanted[name] = await natively(path, probe);
        seen[name] = (await request({ method: 'POST', path, headers, body, agent })).text;
      };
      await Promise.all(Object.entries(probes).map(compare));
      agent.destroy();
      expect(seen).toEqual(wanted);
    },
  };
}

/** What the platform adds to a response, and what belongs to the connection. */
const added = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding', 'x-request-id']);

/** Header names and values in order of names; values that the wire may join are joined. */
function listed(list: Iterable<[string, string]>): string[] {
  const joined = new Map<string, string>();
  for (const [name, value] of list) {
    if (added.has(name)) continue;
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${name === 'set-cookie' ? '\n' : ', '}${value}`);
  }
  return [...joined].map(([name, value]) => `${name}: ${value}`).toSorted();
}

function overTheWire(name: string, make: () => Response): Case {
  return {
    name: `fetch api: over the wire, ${name}`,
    run: async ({ request }) => {
      const wanted = make();
      const { status, headerList, text } = await request({ path: `/fetch-api?wire=${encodeURIComponent(name)}` });
      expect({ status, headers: listed(headerList), text }).toEqual({
        status: wanted.status,
        headers: listed(wanted.headers),
        text: await wanted.text(),
      });
    },
  };
}

/** The Request, Response and Headers of a handler behave as Node's own. */
export const fetchApiCases: readonly Case[] = [
  sameAsNode('headers', headersProbes),
  sameAsNode('requests', requestProbes),
  sameAsNode('responses', responseProbes),
  ...Object.entries(wireResponses).map(([name, make]) => overTheWire(name, make)),
];
