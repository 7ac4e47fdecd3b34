import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { benchLimits } from '../../runtime/contract/limits.ts';
import { defineCommand, jsonOption } from '../command.ts';

export const command = defineCommand({
  name: 'bench',
  summary: 'find how many requests a second an app or a URL carries on this machine',
  usage: 'bench [URL|DIR] [--path /] [-X METHOD] [-d BODY] [--duration 3] [--max-rate N]',
  options: {
    path: { type: 'string', value: 'PATH', description: 'what to ask an app for (default: its shortest route)' },
    method: {
      type: 'string',
      short: 'X',
      value: 'METHOD',
      description: 'the method (default: GET, or POST with a body)',
    },
    data: { type: 'string', short: 'd', value: 'BODY', description: 'the body; @FILE sends a file' },
    header: { type: 'string', short: 'H', multiple: true, value: '"N: V"', description: 'a header; may be repeated' },
    p99: {
      type: 'string',
      value: 'MS',
      description: 'what p99 may be (default: 5 × the median of a request alone, 20 at least)',
    },
    duration: { type: 'string', value: 'S', default: '3', description: 'seconds for each rate' },
    connections: { type: 'string', value: 'N', default: '256', description: 'requests at once at most' },
    'max-rate': { type: 'string', value: 'N', description: 'requests a second that are never exceeded' },
    'load-this-server': {
      type: 'boolean',
      description: 'the URL may be another machine: it is yours and nobody else uses it',
    },
    ...jsonOption,
  },
  positionals: [0, 1],
  details: [
    'DIR (default: the current folder) is built and runs in an app host behind a unix socket, as on a server, with .env as its',
    'environment. Load comes from threads of this process, at rising fixed rates; a latency counts from when its request',
    'was due, so that a stall is charged with all that it kept waiting. The knee is the highest rate at which p99 stays',
    'within its bound and nothing fails; then the next lines say what limits. Ctrl-C prints what is known by then.',
    'Exit code 1: no rate held.',
  ].join('\n'),
  run: async ({ positionals, values, cwd, json, color, signal, out, err }) => {
    const [given = '.'] = positionals;
    const number = (name: 'p99' | 'duration' | 'connections' | 'max-rate', bounds: { min: number; max: number }) =>
      values[name] === undefined ? null : parseNumber(values[name], { name: `--${name}`, ...bounds });
    const { durationSecondsMin, durationSecondsMax, connectionsMax, rateMax, p99MsMax } = benchLimits;
    const durationSeconds = number('duration', { min: durationSecondsMin, max: durationSecondsMax });
    const connections = number('connections', { min: 1, max: connectionsMax });
    const options = {
      durationMs: (durationSeconds ?? benchLimits.durationSeconds) * 1000,
      connections: Math.floor(connections ?? benchLimits.connections),
      maxRate: number('max-rate', { min: 1, max: rateMax }) ?? rateMax,
      p99Ms: number('p99', { min: 0.1, max: p99MsMax }),
    };
    const body = await bodyOf(values.data, cwd);
    const request = {
      method: checkMethod(values.method ?? (body === null ? 'GET' : 'POST')),
      headers: checkHeaders(values.header ?? []),
      body,
    };
    await using target = /^[a-z][a-z\d+.-]*:\/\//i.test(given)
      ? await (
          await import('../bench/url-target.ts')
        ).urlTarget({ ...request, url: urlWith(given, values.path), mayLoad: values['load-this-server'] === true })
      : await (
          await import('../bench/app-target.ts')
        ).appTarget({ ...request, dir: resolve(cwd, given), path: checkPath(values.path), signal, err, color });
    const { runBench } = await import('../bench/run-bench.ts');
    return await runBench({ ...options, target, json, signal, out });
  },
});

function parseNumber(text: string, { name, min, max }: { name: string; min: number; max: number }): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new FnrunError('FN_USAGE', `${name} is a number from ${min} to ${max}: it is ${JSON.stringify(text)}`);
}

function checkMethod(method: string): string {
  if (/^[A-Za-z]{1,20}$/.test(method)) return method.toUpperCase();
  throw new FnrunError('FN_USAGE', `${JSON.stringify(method)} is no method`, { hint: 'for example: -X DELETE' });
}

function checkPath(path: string | undefined): string | null {
  if (path === undefined || /^\/[!-~]*$/.test(path)) return path ?? null;
  throw new FnrunError('FN_USAGE', `--path begins with / and is encoded as in a URL: it is ${JSON.stringify(path)}`);
}

function urlWith(url: string, path: string | undefined): string {
  const checked = checkPath(path);
  return checked === null || !URL.canParse(url) ? url : new URL(checked, url).href;
}

function checkHeaders(headers: readonly string[]): readonly string[] {
  const wrong = headers.find((line) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/.test(line));
  if (wrong === undefined) return headers;
  throw new FnrunError('FN_USAGE', `A header is "Name: value": it is ${JSON.stringify(wrong)}`);
}

async function bodyOf(data: string | undefined, cwd: string): Promise<Buffer | null> {
  if (data === undefined) return null;
  const body = data.startsWith('@') ? await read(resolve(cwd, data.slice(1))) : Buffer.from(data);
  if (body.length <= benchLimits.bodyBytes) return body;
  throw new FnrunError('FN_USAGE', `The body has ${body.length} bytes: ${benchLimits.bodyBytes} are the most`);
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FnrunError('FN_USAGE', `${path} cannot be read`, { cause });
  }
}
