import { checkSettings, mergeSettings } from '../contract/settings.ts';
import type { FunctionSettings, FunctionSettingsInput } from '../contract/settings.ts';
import type { FunctionInspection, HandlerShape } from '../contract/manifest.ts';
import type { Context, UpgradeHandler, WebSocketHandler } from '../contract/handler.ts';

/** The exports that take WebSockets; `upgrade` alone means nothing. */
export interface SocketHandlers {
  websocket: WebSocketHandler | null;
  upgrade: UpgradeHandler | null;
}

type WebHandler = (request: Request, ctx: Context) => unknown;
type LambdaHandler = (event: unknown, context: unknown, callback: unknown) => unknown;

/** The module's exports, told apart. */
export interface Handler extends SocketHandlers {
  inspection: FunctionInspection;
  /** The function for a method, or null when the function does not answer it. */
  web: ((method: string) => WebHandler | null) | null;
  fetch: ((request: Request, env: unknown, ctx: Context) => unknown) | null;
  lambda: LambdaHandler | null;
}

/** A module that cannot be served. `code` is of the error catalogue. */
export class ExportsError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const methodNames = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

/** Reads the handler and the settings from a module; `settings` win over its own, its own over `defaults`. */
export function readExports(
  module: Record<string, unknown>,
  {
    settings,
    defaults,
    commonjs,
  }: { settings: FunctionSettingsInput; defaults: FunctionSettingsInput; commonjs: boolean },
): Handler {
  const exports = commonjs ? commonjsExports(module) : module;
  const { merged, warnings } = readSettings(exports, { settings, defaults });
  const sockets = socketsOf(exports);
  const inspect = (
    shape: HandlerShape,
    methods: string[] | null,
    fallback: 'web' | 'fetch' | null = null,
  ): FunctionInspection => ({
    shape,
    websocket: sockets.websocket !== null,
    fallback,
    methods: merged.methods ?? methods,
    settings: { ...merged, subtree: merged.subtree ?? (shape === 'fetch' || fallback === 'fetch') },
    warnings,
  });

  const lambda = lambdaOf(exports, merged);
  if (lambda !== null) return { ...sockets, inspection: inspect('lambda', null), web: null, fetch: null, lambda };

  const fallback = defaultOf(exports, commonjs);
  const methods = methodNames.filter((name) => typeof exports[name] === 'function');
  if (methods.length > 0) {
    const table = new Map<string, WebHandler>(methods.map((name) => [name, exports[name] as WebHandler]));
    if (!table.has('HEAD') && table.has('GET')) table.set('HEAD', table.get('GET')!);
    const answered = fallback === null ? [...methods] : null;
    return {
      ...sockets,
      inspection: inspect('methods', answered, fallback?.shape ?? null),
      web: (method) => table.get(method) ?? fallback?.web ?? null,
      fetch: fallback?.fetch ?? null,
      lambda: null,
    };
  }
  if (fallback === null) {
    if (sockets.websocket === null) throw noHandler(exports, merged);
    return { ...sockets, inspection: inspect('websocket', null), web: null, fetch: null, lambda: null };
  }
  const { web } = fallback;
  return {
    ...sockets,
    inspection: inspect(fallback.shape, null),
    web: web === null ? null : () => web,
    fetch: fallback.fetch,
    lambda: null,
  };
}

function commonjsExports(module: Record<string, unknown>): Record<string, unknown> {
  const exported = module['default'];
  if (typeof exported === 'function') {
    return Object.assign(Object.create(null) as Record<string, unknown>, exported, { default: exported });
  }
  if (typeof exported !== 'object' || exported === null) return module;
  // Transpiled ESM keeps its default in `exports.default`; `module.exports = { fetch }` is one itself.
  const own = exported as Record<string, unknown>;
  return 'default' in own || typeof own['fetch'] !== 'function' ? own : { ...own, default: own };
}

function socketsOf(exports: Record<string, unknown>): SocketHandlers {
  const { websocket, upgrade } = exports;
  return {
    websocket: typeof websocket === 'function' ? (websocket as SocketHandlers['websocket']) : null,
    upgrade: typeof upgrade === 'function' ? (upgrade as SocketHandlers['upgrade']) : null,
  };
}

function lambdaOf(exports: Record<string, unknown>, settings: FunctionSettings): LambdaHandler | null {
  const name = settings.handler ?? 'handler';
  const value = exports[name];
  if (typeof value === 'function') return value as LambdaHandler;
  if (settings.handler === null) return null;
  throw new ExportsError(
    'FN_NO_HANDLER',
    `the setting handler names "${name}", but the module exports no function of that name`,
  );
}

function defaultOf(
  exports: Record<string, unknown>,
  commonjs: boolean,
): { shape: 'web' | 'fetch'; web: WebHandler | null; fetch: Handler['fetch'] } | null {
  let value = exports['default'] as Record<string, unknown> | null | undefined;
  // A bundle of transpiled CommonJS inside ESM may carry the default twice.
  if (commonjs && typeof value === 'object' && value !== null && typeof value['default'] === 'function') {
    value = value['default'] as never;
  }
  if (value === null || value === undefined) return null;
  if (typeof value === 'object' || typeof value === 'function') {
    const fetch = value['fetch'];
    if (typeof fetch === 'function') {
      const call = fetch as (...args: unknown[]) => unknown;
      return { shape: 'fetch', web: null, fetch: (request, env, ctx) => call.call(value, request, env, ctx) };
    }
  }
  if (typeof value === 'function') return { shape: 'web', web: value as unknown as WebHandler, fetch: null };
  return null;
}

function readSettings(
  exports: Record<string, unknown>,
  { settings, defaults }: { settings: FunctionSettingsInput; defaults: FunctionSettingsInput },
): { merged: FunctionSettings; warnings: string[] } {
  const own = exports['config'];
  if (own === undefined) return { merged: mergeSettings(defaults, settings), warnings: [] };
  if (typeof own !== 'object' || own === null) {
    return { merged: mergeSettings(defaults, settings), warnings: ['the export config is no object: it was ignored'] };
  }
  const issues = checkSettings(own);
  const bad = issues.filter((issue) => issue.kind === 'bad-value');
  if (bad.length > 0)
    throw new ExportsError('FN_BAD_SETTINGS', `in config, ${bad.map((issue) => issue.message).join('; ')}`);
  const merged = mergeSettings(defaults, own, settings);
  if (merged.minWorkers > merged.maxWorkers) {
    throw new ExportsError(
      'FN_BAD_SETTINGS',
      `minWorkers (${merged.minWorkers}) is above maxWorkers (${merged.maxWorkers})`,
    );
  }
  return { merged, warnings: issues.map((issue) => `in config, ${issue.message}: it has no effect`) };
}

function noHandler(exports: Record<string, unknown>, settings: FunctionSettings): ExportsError {
  const names = Object.keys(exports).filter((name) => name !== 'config');
  const has = names.length === 0 ? 'it exports nothing' : `it exports ${names.slice(0, 8).join(', ')}`;
  const kind = exports['default'] === undefined ? '' : ` (its default is of type ${typeof exports['default']})`;
  return new ExportsError(
    'FN_NO_HANDLER',
    `the module exports no handler: ${has}${kind}; export a default function, { fetch }, GET/POST/…, websocket, or ${settings.handler ?? 'handler'}`,
  );
}
