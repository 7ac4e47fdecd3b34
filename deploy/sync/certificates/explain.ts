import { AcmeRefusal } from './acme.ts';

/** Why a name has no certificate, and what to do; in words. `addresses` are this machine's. */
export function explainRefusal(
  name: string,
  error: unknown,
  { addresses }: { addresses: readonly string[] },
): { message: string; hint: string } {
  const here = addresses.length === 0 ? 'this server' : addresses.join(' or ');
  const detail = error instanceof Error ? error.message : String(error);
  const type = error instanceof AcmeRefusal ? error.type : null;
  const said = `the CA said: ${detail.replace(/\.$/, '')}`;
  const dns = `let the A record of ${name} (and AAAA, if there is one) lead to ${here}`;
  switch (type) {
    case 'dns':
      return { message: `DNS has no usable address for ${name}; ${said}`, hint: dns };
    case 'connection':
      return {
        message: `the CA cannot connect to ${name} on port 80; ${said}`,
        hint: `${dns}; no firewall may stand before port 80`,
      };
    case 'unauthorized':
    case 'incorrectResponse':
      return { message: `${name} leads to another machine, or to something before this one; ${said}`, hint: dns };
    case 'caa':
      return {
        message: `a CAA record of ${name} forbids this CA; ${said}`,
        hint: 'allow it there, or take the record away',
      };
    case 'rateLimited':
      return { message: `the CA gives no more certificates for now; ${said}`, hint: 'nothing: it is tried again' };
    case 'rejectedIdentifier':
      return { message: `the CA gives no certificates for ${name}; ${said}`, hint: 'use another name' };
    case null:
      return {
        message: `the CA could not be asked: ${detail}`,
        hint: 'nothing, if it is away for a moment: it is tried again',
      };
    default:
      return { message: `no certificate for ${name}; ${said} (${type})`, hint: 'it is tried again' };
  }
}

/** What DNS itself says, before the CA is asked, which counts every try. */
export function explainLookup(
  name: string,
  { addresses }: { addresses: readonly string[] },
): { message: string; hint: string } {
  const here = addresses.length === 0 ? 'this server' : addresses.join(' or ');
  return {
    message: `DNS has no address for ${name}: no certificate is asked for`,
    hint: `make an A record of ${name} (AAAA for IPv6) that leads to ${here}; it is tried again within the hour`,
  };
}

/** Previews have had as many as they may. */
export function explainQuota(name: string, nextAtMs: number): { message: string; hint: string } {
  return {
    message: `previews have had as many certificates as they get in a week; ${name} has the one that nobody signed`,
    hint: `nothing: the next one is asked for after ${new Date(nextAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  };
}
