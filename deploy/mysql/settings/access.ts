import type { DatabaseFacts } from '../facts.ts';
import type { Section, Setting } from '../setting.ts';
import { isKnown } from '../variables.ts';

/** Who may reach the server. */
export function accessSection(facts: DatabaseFacts): Section {
  return {
    title: 'Access',
    leftOut: [],
    settings: [
      ...listening(facts),
      {
        name: 'skip_name_resolve',
        value: true,
        reason: 'a slow or dead name server would hold up every new connection; accounts go by address',
        dynamic: false,
      },
      {
        name: 'local_infile',
        value: false,
        reason: 'LOAD DATA LOCAL lets the server ask a client for any file that it can read',
        dynamic: true,
      },
    ],
  };
}

function listening(facts: DatabaseFacts): Setting[] {
  const own: Setting[] = [];
  if (facts.tcp) {
    own.push({
      name: 'bind_address',
      value: '127.0.0.1',
      reason: 'chosen with --tcp: programs of this machine only, beside the unix socket',
      dynamic: false,
    });
  } else {
    own.push({
      name: 'skip_networking',
      value: true,
      reason: 'the unix socket only: faster than TCP, and no port to guard; --tcp opens 127.0.0.1',
      dynamic: false,
    });
  }
  if (isKnown('mysqlx', facts)) {
    own.push({
      name: 'mysqlx',
      value: false,
      reason: 'the X protocol listens on a port of its own, on every address, which bind_address does not change',
      shows: null,
      dynamic: false,
    });
  }
  return own;
}
