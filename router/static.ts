import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { httpLimits } from '../runtime/contract/limits.ts';
import { sendProblem } from './problem.ts';
import { segmentsOf } from './target.ts';
import type { Target } from './target.ts';

/** The files of one release's public/ folder. */
export interface StaticFiles {
  /** The file that answers `target`, as a path from public/; null when none does. */
  find(target: Target): string | null;
  /**
   * Answers a GET or HEAD for which there is a file, and says so; false leaves the response untouched.
   * `headers` go out with every answer.
   */
  serve(req: IncomingMessage, res: ServerResponse, options: ServeOptions): boolean;
}

export interface ServeOptions {
  target: Target;
  headers?: OutgoingHttpHeaders;
}

/**
 * Browsers and caches keep a file but ask each time whether it is still the one (a 304 costs no body). Names
 * that look hashed get no longer life: a wrong guess would pin an old file for a year.
 */
export const staticCacheControl = 'public, max-age=0, must-revalidate';

/**
 * Serves `files` (paths from `dir`, `/`-separated) with ETag, Range, conditional requests and HEAD. A path
 * names, in this order, the file itself, the file with `.html`, and its `index.html`, as nginx's
 * `try_files $uri $uri.html $uri/index.html` does. Names with a dot in front are never served, but for .well-known.
 *
 * The list decides what exists: a request for a function costs one look into a Map and no system call.
 */
export function createStatic(dir: string, files: readonly string[]): StaticFiles {
  const byPath = indexFiles(files);
  const find = (target: Target): string | null => {
    if (byPath.size === 0) return null;
    if (target.plain) return byPath.get(target.path) ?? null;
    const segments = segmentsOf(target);
    // `%2F` is no separator, so `/a%2Fb.txt` must not find a/b.txt.
    if (segments.some((segment) => segment.includes('/'))) return null;
    const slash = target.path.endsWith('/') && segments.length > 0 ? '/' : '';
    return byPath.get(`/${segments.join('/')}${slash}`) ?? null;
  };
  return {
    find,
    serve(req, res, { target, headers = {} }) {
      if (byPath.size === 0 || (req.method !== 'GET' && req.method !== 'HEAD')) return false;
      const file = find(target);
      if (file === null) return false;
      void sendFile({ req, res, dir, file, headers });
      return true;
    },
  };
}

interface Sending {
  req: IncomingMessage;
  res: ServerResponse;
  dir: string;
  file: string;
  headers: OutgoingHttpHeaders;
}

async function sendFile({ req, res, dir, file, headers }: Sending): Promise<void> {
  try {
    // Loaded with the first file: most apps have none, and it is 14 MB.
    const { send } = await import('@fastify/send');
    const path = file.split('/').map(encodeURIComponent).join('/');
    const options = { root: dir, dotfiles: 'allow', index: false, cacheControl: false } as const;
    const result = await send(req, path, options);
    if (res.destroyed) {
      result.stream.destroy();
      return;
    }
    if (result.type !== 'file') {
      result.stream.destroy();
      sendFailure(res, result, headers);
      return;
    }
    const contentType = result.statusCode === 304 ? {} : { 'content-type': 'application/octet-stream' };
    res.setTimeout(httpLimits.responseIdleMs, () => res.destroy());
    res.writeHead(result.statusCode, {
      ...contentType,
      ...lowerCase(result.headers),
      'cache-control': staticCacheControl,
      ...headers,
    });
    // pipeline closes the file when the client leaves, and cuts the connection when the file cannot be read.
    pipeline(result.stream, res, () => {});
  } catch {
    sendProblem(res, 'FN_INTERNAL', { detail: 'The file could not be read', headers });
  }
}

/** 412 and 416 are answers of the protocol and need no document; any other failure is a file that should be there. */
function sendFailure(
  res: ServerResponse,
  result: { statusCode: number; headers: Record<string, string> },
  headers: OutgoingHttpHeaders,
): void {
  const { statusCode } = result;
  if (statusCode !== 412 && statusCode !== 416) {
    sendProblem(res, statusCode === 404 ? 'FN_NOT_FOUND' : 'FN_INTERNAL', {
      detail: 'The file could not be read',
      headers,
    });
    return;
  }
  const contentRange = result.headers['Content-Range'];
  res.writeHead(statusCode, {
    'content-length': 0,
    ...(contentRange === undefined ? {} : { 'content-range': contentRange }),
    ...headers,
  });
  res.end();
}

function indexFiles(files: readonly string[]): Map<string, string> {
  const visible = files.filter((file) =>
    file.split('/').every((part) => !part.startsWith('.') || part === '.well-known'),
  );
  const byPath = new Map<string, string>();
  const add = (path: string, file: string): void => {
    if (!byPath.has(path)) byPath.set(path, file);
  };
  for (const file of visible) add(`/${file}`, file);
  for (const file of visible) if (file.endsWith('.html')) add(`/${file.slice(0, -'.html'.length)}`, file);
  for (const file of visible) {
    if (file !== 'index.html' && !file.endsWith('/index.html')) continue;
    const folder = `/${file.slice(0, -'index.html'.length)}`;
    add(folder, file);
    if (folder !== '/') add(folder.slice(0, -1), file);
  }
  return byPath;
}

function lowerCase(headers: Record<string, string>): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
