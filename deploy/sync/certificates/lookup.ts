import { Resolver } from 'node:dns/promises';
import { domainLimits } from '../../../runtime/contract/limits.ts';

/**
 * Whether DNS has an address for `name`. Only a clear no is one: with a resolver that does not answer the CA is asked,
 * which has its own. `servers` are those of the machine by default.
 */
export async function hasAddress(name: string, { servers }: { servers?: readonly string[] } = {}): Promise<boolean> {
  const resolver = new Resolver({ timeout: domainLimits.lookupMs, tries: 1 });
  if (servers !== undefined) resolver.setServers(servers);
  const isThere = async (answer: Promise<string[]>): Promise<boolean> => {
    try {
      return (await answer).length > 0;
    } catch (error) {
      return !['ENOTFOUND', 'ENODATA'].includes((error as NodeJS.ErrnoException).code ?? '');
    }
  };
  const answers = await Promise.all([isThere(resolver.resolve4(name)), isThere(resolver.resolve6(name))]);
  return answers.includes(true);
}
