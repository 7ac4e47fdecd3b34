import { Agent } from 'node:http';
import { join } from 'node:path';
import type { DeploymentBody, DeploymentsBody } from '../../router/control/types.ts';
import type { PushStep } from '../../deploy/steps.ts';
import { runCli, startCli, type RunningCli } from './cli.ts';
import { eventually } from './deadline.ts';
import { commitAll, git, initRepository, tryGit } from './git.ts';
import { fetchFrom, targetOf } from './http.ts';
import { makeTempDir, writeTree } from './temp-dir.ts';

const app = 'shop';
const clients = 4;

/** What was seen around one death of the server. */
export interface Kill {
  step: PushStep;
  /** Exit code of the push that it died in. */
  pushCode: number | null;
  /** Whether the new release was live after the restart. */
  outcome: 'old' | 'new';
  /** Answers that clients had while the push went on and the server died. */
  answers: number;
}

/**
 * Makes an app of two functions that tell their version. For each of `steps` a server ends with SIGKILL at
 * that step of a push under load, and the next one is started; throws unless all is one there, and pushes go on.
 */
export async function* killAtEach(steps: readonly PushStep[]): AsyncGenerator<Kill, void> {
  const folder = await makeTempDir('fk-');
  const home = join(folder.path, 'h');
  const dir = join(folder.path, 'app');
  const repository = join(home, 'apps', app, 'repo.git');
  let version = 0;
  let server: RunningCli | null = null;

  const start = async (step: PushStep | undefined): Promise<RunningCli> => {
    const env: Record<string, string> = step === undefined ? {} : { FNRUN_TEST_KILL_AT: `${step}@2` };
    server = await startCli(['serve', '--home', home, '--listen', '127.0.0.1:0'], { env });
    return server;
  };
  const change = async (): Promise<string> => {
    version += 1;
    const source = `export default () => new Response('v${version}');\n`;
    await writeTree(dir, { 'functions/a/index.ts': source, 'functions/b/index.ts': source });
    return await commitAll(dir, `v${version}`);
  };
  const push = () => tryGit(dir, ['push', repository, 'main']);
  const deploys = async (): Promise<DeploymentBody[]> => {
    const path = `/v1/apps/${app}/deployments`;
    const response = await fetchFrom({ socketPath: join(home, 'run/control.sock') }, { path });
    return (response.json() as DeploymentsBody).deployments;
  };
  /** What both functions say; throws when they are not of one release. */
  const said = async (at: RunningCli): Promise<string> => {
    const ask = (path: string) => fetchFrom(targetOf(at.ready), { path, deadlineMs: 30_000 });
    const [a, b] = await Promise.all([ask('/a'), ask('/b')]);
    if (a.status !== 200 || a.text !== b.text) throw new Error(`a mix: ${a.status} ${a.text}, ${b.status} ${b.text}`);
    return a.text;
  };

  try {
    await initRepositoryIn(dir);
    let current = await start(steps[0]);
    await runCli(['apps', 'create', app, '--home', home]);
    for (const [at, step] of steps.entries()) {
      // The server dies when it gets there for the second time: the first push shows that all goes on.
      await change();
      const good = await push();
      if (good.code !== 0) throw new Error(`a push to the started server failed:\n${good.output}`);
      const old = `v${version}`;
      if ((await said(current)) !== old) throw new Error(`not live: ${old}`);
      const commit = await change();
      const load = startLoad(current, [old, `v${version}`]);
      // A busy machine may take as long for the first answer as the server needs to die.
      await load.begun;
      const dying = push();
      await current.waitForExit();
      const { code: pushCode } = await dying;
      const answers = await load.stop();
      current = await start(steps[at + 1]);
      const live = await eventually(async () => {
        const [newest, ...others] = await deploys();
        const ref = await git(repository, 'rev-parse', 'refs/heads/main');
        const text = await said(current);
        checkAgreement({ newest, others, ref, text, commit, step, old, now: `v${version}`, pushCode });
        return text;
      });
      yield { step, pushCode, outcome: live === old ? 'old' : 'new', answers };
    }
  } finally {
    await (server as RunningCli | null)?.stop('SIGKILL');
    await folder.remove();
  }
}

async function initRepositoryIn(dir: string): Promise<void> {
  await writeTree(dir, { 'fnrun.json': '{ "release": "true" }\n' });
  await initRepository(dir);
}

interface Seen {
  newest: DeploymentBody | undefined;
  others: DeploymentBody[];
  ref: string;
  text: string;
  commit: string;
  step: PushStep;
  old: string;
  now: string;
  pushCode: number | null;
}

/** Throws unless live release, record and ref are of the old or of the new push, all of them. */
function checkAgreement({ newest, others, ref, text, commit, step, old, now, pushCode }: Seen): void {
  const complain = (what: string): never => {
    const record = `${newest?.subject} ${newest?.state} at ${newest?.step}`;
    throw new Error(
      `killed at ${step}: ${what} (live ${text}, ref ${ref === commit ? 'new' : 'old'}, record ${record})`,
    );
  };
  const isNew = text === now;
  if (!isNew && text !== old) complain(`live is neither ${old} nor ${now}`);
  if ((ref === commit) !== isNew) complain('ref and live release differ');
  if ((pushCode === 0) !== isNew) complain(`the pusher was told ${pushCode}`);
  // Nothing is on record when the hook had only just asked.
  if (step !== 'received' && newest?.commit !== commit) complain('the push has no record');
  const live = [newest, ...others].filter((one) => one?.live === true);
  if (live.length !== 1) complain(`${live.length} records are live`);
  if ((live[0]?.commit === commit) !== isNew) complain('record and live release differ');
  if (newest?.commit === commit && newest.state !== (isNew ? 'succeeded' : 'failed'))
    complain('the record is not settled');
  if (others.some(({ state }) => state === 'running')) complain('a record was left running');
}

/** Clients with kept connections; each answer must be of one of these versions, or none because the server is dead. */
function startLoad(
  server: RunningCli,
  versions: readonly string[],
): {
  begun: Promise<void>;
  stop(): Promise<number>;
} {
  const agent = new Agent({ keepAlive: true });
  let answers = 0;
  let stopped = false;
  const begun = Promise.withResolvers<void>();
  const wrong: string[] = [];
  const client = async (path: string): Promise<void> => {
    while (!stopped) {
      const got = await fetchFrom(targetOf(server.ready), { path, agent }).catch(() => null);
      begun.resolve();
      if (got === null) return;
      answers += 1;
      // While it dies, the gateway may find the app gone.
      if (got.status === 200 ? !versions.includes(got.text) : got.status < 500) wrong.push(`${got.status} ${got.text}`);
    }
  };
  const running = Array.from({ length: clients }, (_, n) => client(n % 2 === 0 ? '/a' : '/b'));
  return {
    begun: begun.promise,
    stop: async () => {
      stopped = true;
      await Promise.all(running);
      agent.destroy();
      if (wrong.length > 0) throw new Error(`wrong answers: ${wrong.slice(0, 3).join(', ')}`);
      return answers;
    },
  };
}
