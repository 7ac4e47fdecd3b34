import { expect, test } from 'vitest';
import { commands } from '../../../cli/commands.ts';
import { main } from '../../../cli/main.ts';

interface Said {
  code: number;
  out: string;
  err: string;
}

async function call(...args: string[]): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(args, {
    env: { FNRUN_HOME: '/nonexistent/fnrun-home' },
    cwd: '/',
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

test('main prints the version when asked', async () => {
  const { code, out } = await call('--version');
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+$/);
});

test('main lists every command that people call when asked for help', async () => {
  const { code, out } = await call('--help');
  expect(code).toBe(0);
  expect(out).not.toContain('receive');
  for (const name of Object.keys(commands).filter((one) => one !== 'receive'))
    expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
});

test('main shows the overview and fails with 2 when called without a command', async () => {
  const { code, out } = await call();
  expect(code).toBe(2);
  expect(out).toContain('Usage: fnrun COMMAND');
});

test.each(Object.keys(commands))('%s explains itself when called with --help', async (name) => {
  const { code, out } = await call(name, '--help');
  expect(code).toBe(0);
  expect(out).toContain(`Usage: fnrun ${name}`);
  expect(out).toContain('-h, --help');
  expect((await call('help', name)).out).toBe(out);
  expect((await commands[name]?.())?.command.name).toBe(name);
});

test('main names the nearest command when there is none of that name', async () => {
  const { code, err } = await call('depoys');
  expect(code).toBe(2);
  expect(err).toBe('fnrun: depoys is no command of fnrun; did you mean: fnrun deploys');
});

test('main does not guess when no command is near', async () => {
  const { code, err } = await call('toString');
  expect(code).toBe(2);
  expect(err).toBe('fnrun: toString is no command of fnrun; see: fnrun --help');
});

test.each([
  ['an unknown option', ['ps', '--wrong'], /^fnrun: Unknown option '--wrong'; see: fnrun ps --help$/],
  ['an argument too many', ['ps', 'one', 'two'], /^fnrun: two is one argument too many, usage: fnrun ps \[APP\]; see/],
  ['a missing argument', ['deploys'], /^fnrun: An argument is missing, usage: fnrun deploys APP \[ID\]/],
  ['a path without slash', ['invoke', 'app', 'x'], /^fnrun: PATH must begin with a slash: it is x; try: \/x$/],
  ['a URL instead of a path', ['invoke', 'app', 'http://a.localhost/b?x'], /; try: \/b\?x$/],
  ['lines that are no number', ['logs', 'app', '--lines', 'ten'], /^fnrun: --lines must be a whole number: it is ten$/],
  ['an unknown action', ['apps', 'delete'], /^fnrun: apps delete is nothing fnrun can do; see/],
  ['an action without its name', ['apps', 'create'], /^fnrun: apps create needs a name; usage/],
])('main fails with 2 and one line when given %s', async (_what, args, line) => {
  const { code, err } = await call(...args);
  expect(code).toBe(2);
  expect(err).toMatch(line);
});

test('a command fails with 1 and says what to do when no server runs', async () => {
  const { code, err } = await call('apps');
  expect(code).toBe(1);
  expect(err).toMatch(/^fnrun: No fnrun server runs in \/nonexistent\/fnrun-home; start one with: fnrun serve --home/);
});

test('main prints the error as JSON when --json is given', async () => {
  const { code, err } = await call('apps', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(err)).toEqual({
    error: {
      code: 'FN_NOT_RUNNING',
      message: 'No fnrun server runs in /nonexistent/fnrun-home',
      hint: expect.stringContaining('fnrun serve'),
    },
  });
});
