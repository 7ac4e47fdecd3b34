import { createHash } from 'node:crypto';

/** What a release consists of: built code with its settings, and an environment. */
export interface ReleaseParts {
  /** Name of its folder in the app's releases. */
  build: string;
  /** Id of the environment; null: no variables. */
  env: string | null;
}

/** The id of a release: that of its build, or with variables of both together. */
export function releaseId({ build, env }: ReleaseParts): string {
  if (env === null) return build;
  return createHash('sha256').update(`${build} ${env}`).digest('hex').slice(0, 16);
}
