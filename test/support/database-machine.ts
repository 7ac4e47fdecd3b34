import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { programEnv, type Machine } from '../../deploy/server/machine.ts';
import { runProgram } from '../../deploy/server/run-program.ts';
import { makeTempDir } from './temp-dir.ts';

/**
 * This machine with a /etc, /var, /run and /usr/local of its own, in a mount namespace: what is written there is gone with it.
 * MariaDB runs there on its usual socket. systemd does not: `systemctl` is a script that starts, stops and asks
 * that one server, as systemd does for mariadb.service, and knows of mariadb.socket.
 */
export interface DatabaseMachine extends AsyncDisposable {
  machine: Machine;
  /** Runs a script of `sh -eu` there and resolves to what it printed. */
  sh(script: string): Promise<string>;
}

const mounts = `
mount -t tmpfs none "$1"
for dir in etc var usr/local; do
  mkdir -p "$1/$dir/upper" "$1/$dir/work"
  mount -t overlay overlay -o "lowerdir=/$dir,upperdir=$1/$dir/upper,workdir=$1/$dir/work" "/$dir"
done
mount -t tmpfs none /run
mkdir -p /run/mysqld /var/log/mysql
rm -rf /var/lib/mysql /etc/mysql/mariadb.conf.d/99-fnrun.cnf
mariadb-install-db --no-defaults --user=root --datadir=/var/lib/mysql --auth-root-authentication-method=socket --auth-root-socket-user=root >/dev/null
printf '[mysqld]\\ndatadir=/var/lib/mysql\\nsocket=/run/mysqld/mysqld.sock\\nuser=root\\n' > /etc/mysql/mariadb.conf.d/01-here.cnf
cat > /usr/local/bin/systemctl <<'END'
#!/bin/sh
up() { mariadb-admin --no-defaults --socket=/run/mysqld/mysqld.sock ping >/dev/null 2>&1; }
start() { mariadbd --log-error=/run/mysqld/log >/dev/null 2>&1 & pid=$!; echo "$pid" > /run/mysqld/main
  until up; do kill -0 "$pid" 2>/dev/null || { echo 'Job for mariadb.service failed.' >&2; exit 1; }; sleep 0.1; done; echo x >> /run/mysqld/starts; }
stop() { up && mariadb-admin --no-defaults --socket=/run/mysqld/mysqld.sock shutdown; while [ -e /run/mysqld/mysqld.sock ] && up; do sleep 0.1; done
  [ -f /run/mysqld/main ] && while kill -0 "$(cat /run/mysqld/main)" 2>/dev/null; do sleep 0.1; done; return 0; }
for last; do :; done
case "$last" in *.socket)
  # As Debian 12 has it: enabled with the package, and in force from the next boot on.
  case "$1 $last" in
    'is-enabled mariadb.socket') [ -e /run/mysqld/no-socket ] && echo disabled || echo enabled;;
    disable*) : > /run/mysqld/no-socket;;
    is-active*) exit 3;;
  esac
  exit
esac
case "$1" in
  is-enabled) echo enabled;;
  is-active) up && echo active || echo inactive;;
  enable) up || start;;
  restart) stop; start;;
  stop) stop;;
esac
END
chmod 755 /usr/local/bin/systemctl
echo mounted
# No exec: the shell is the first process here, and takes in those whose parents have ended.
cat
:
`;

/** Needs root, as MariaDB's own user does not reach the folder. */
export async function startDatabaseMachine(): Promise<DatabaseMachine> {
  const folder = await makeTempDir('fdm-');
  const args = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const holder = spawn('unshare', [...args, 'sh', '-euc', mounts, 'sh', folder.path], { stdio: 'pipe' });
  let said = '';
  holder.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [first] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])) as [unknown];
  if (!Buffer.isBuffer(first)) {
    await folder.remove();
    throw new Error(`A machine for a database cannot be made here (it takes root): ${said.trim()}`);
  }
  // unshare waits for the shell in the new namespaces, which is its only child.
  const { stdout: child } = await runProgram(['pgrep', '-P', String(holder.pid)], {
    timeoutMs: 10_000,
    on: 'this machine',
  });
  const enter = ['nsenter', '-t', child.trim(), '--mount', '--pid', '--'];
  const machine: Machine = {
    name: 'the machine of the test',
    local: false,
    run: (argv, options) =>
      runProgram([...enter, ...argv], { timeoutMs: 60_000, ...options, on: 'the machine', env: { ...programEnv } }),
    upload: async () => {
      throw new Error('nothing is uploaded');
    },
    loginAnew: async () => undefined,
    close: async () => undefined,
  };
  return {
    machine,
    sh: async (script) => {
      const { code, stdout, stderr } = await machine.run(['sh', '-euc', script]);
      if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
      return stdout;
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(holder, 'close');
      holder.stdin.end();
      holder.kill();
      await ended;
      await folder.remove();
    },
  };
}
