import { readFile, writeFile, type WantedFile } from '../../files.ts';
import { must } from '../../must.ts';
import { installPackages } from '../../packages.ts';
import { checkUnit, enableUnit } from '../../units.ts';
import type { Change, SetupContext, Step } from '../../step.ts';
import { dropIn } from './drop-in.ts';

const nginxFile = '/etc/logrotate.d/nginx';
const draft = '/run/fnrun-setup/logrotate-nginx';
const timer: WantedFile = {
  path: '/etc/systemd/system/logrotate.timer.d/fnrun.conf',
  text: `# Written by fnrun server setup: a change here is undone by the next one.
[Timer]
# Every hour, not every day: a log is looked at for its size (maxsize) no more often than that, and in a day the access
# log of a busy server fills a disk. What is rotated daily is still rotated once a day.
OnCalendar=
OnCalendar=hourly
AccuracySec=5min
`,
};

/**
 * Debian's text for nginx's logs, with a bound on their size: a day's log becomes fifteen of at most 256 MB or little more, the older
 * ones compressed. Null: it has a size already, or is not of the form that we know.
 */
export function boundNginxLogs(text: string): string | null {
  if (/^\s*(max)?size\b/m.test(text)) return null;
  const changed = text.replace(
    /^(\s*)daily[^\S\n]*$/m,
    (line, indent: string) =>
      `${line}\n${indent}# fnrun server setup: rotated before the day is over when it has grown to this.\n${indent}maxsize 256M`,
  );
  return changed === text ? null : changed;
}

async function checkNginx({ machine }: SetupContext): Promise<Change[]> {
  const there = await readFile(machine, nginxFile);
  const after = there === null ? null : boundNginxLogs(there.text);
  if (there === null || after === null) return [];
  return [{ subject: nginxFile, what: `change ${nginxFile}: no log above 256 MB`, before: there.text, after }];
}

const base = dropIn({
  id: 'logrotate',
  title: 'logs have a bound',
  files: () => [timer],
  more: async (context) => [...(await checkNginx(context)), ...(await checkUnit(context.machine, 'logrotate.timer'))],
  activate: async ({ machine }) => {
    const there = await readFile(machine, nginxFile);
    const text = there === null ? null : boundNginxLogs(there.text);
    if (text !== null) {
      // What logrotate does not understand it leaves out altogether.
      await writeFile(machine, { path: draft, text });
      await must(machine, ['logrotate', '-d', draft]);
      await writeFile(machine, { path: nginxFile, text });
    }
    await must(machine, ['systemctl', 'daemon-reload']);
    await enableUnit(machine, 'logrotate.timer');
    await must(machine, ['systemctl', 'restart', 'logrotate.timer']);
  },
});

/** The apps' own logs are not among them: the server rotates these (docs/limits.md). */
export const logrotateStep: Step = {
  ...base,
  apply: async (context, changes) => {
    await installPackages(context, ['logrotate']);
    await base.apply(context, changes);
  },
};
