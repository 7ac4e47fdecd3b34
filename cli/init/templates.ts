/** What the files of a new app are made from. */
export interface TemplateInput {
  name: string;
  /** Text of the package's types.d.ts. */
  handlerTypes: string;
  /** Text of the JSON Schema of fnrun.json. */
  schema: string;
}

/** The files of a new app, by their paths from its root. */
export function templates({ name, handlerTypes, schema }: TemplateInput): Record<string, string> {
  return {
    'functions/index.ts': indexFunction,
    'functions/hello/[name]/index.ts': helloFunction,
    'fnrun.json': json({ $schema: './types/fnrun.schema.json', name }),
    'package.json': json({ name, private: true, type: 'module' }),
    'tsconfig.json': tsconfig,
    'types/fnrun.d.ts': ambientTypes(handlerTypes),
    'types/fnrun.schema.json': schema,
    '.gitignore': 'node_modules/\n.fnrun/\n.env\n',
  };
}

/** Files that a build turns into strings (docs/building.md). */
const textExtensions = ['txt', 'md', 'html', 'css', 'sql', 'svg', 'csv', 'xml', 'yaml', 'yml', 'graphql', 'gql'];

const indexFunction = `import type { Context } from 'fnrun';

/** Answers / with any method. */
export default function index(request: Request, ctx: Context): Response {
  ctx.log.info('somebody is here', { agent: request.headers.get('user-agent') });
  return new Response(\`This is \${ctx.app}. Try /hello/you\\n\`);
}
`;

const helloFunction = `import type { Context } from 'fnrun';

/** Answers GET /hello/:name; other methods get 405. */
export function GET(_request: Request, ctx: Context): Response {
  return Response.json({ hello: ctx.params.name });
}
`;

// "webworker" has fetch, Request, streams, crypto and console, and no window that is not there at run time.
const tsconfig = `{
  "compilerOptions": {
    "target": "es2024",
    "lib": ["es2024", "webworker", "webworker.iterable", "webworker.asynciterable"],
    "module": "esnext",
    "moduleResolution": "bundler",
    "allowImportingTsExtensions": true,
    "isolatedModules": true,
    "resolveJsonModule": true,
    "jsx": "react-jsx",
    "strict": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["functions", "types"]
}
`;

function ambientTypes(handlerTypes: string): string {
  const body = handlerTypes.trim().replace(/^(?=.)/gm, '  ');
  return `// Types of fnrun for this app, so that it type-checks without an installation.
// Made by fnrun init; for more of Node's own API, npm install --save-dev @types/node.

declare module 'fnrun' {
${body}
}

declare namespace NodeJS {
  interface ProcessEnv {
    [name: string]: string | undefined;
  }
  interface Process {
    env: ProcessEnv;
  }
}

declare var process: NodeJS.Process;

${textExtensions.map((extension) => importOf(extension, 'string')).join('\n')}
${importOf('wasm', 'WebAssembly.Module')}`;
}

function importOf(extension: string, type: string): string {
  return `declare module '*.${extension}' {\n  const content: ${type};\n  export default content;\n}\n`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
