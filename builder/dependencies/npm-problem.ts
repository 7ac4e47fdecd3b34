import { buildLimits } from '../../runtime/contract/limits.ts';
import { problem } from '../problem.ts';
import type { BuildProblem } from '../problem.ts';
import type { NpmResult } from './npm.ts';

/** Why npm did not install what `lockfile` names; `result` null: there is no npm. */
export function npmProblem(result: NpmResult | null, lockfile: string): BuildProblem {
  if (result === null) {
    const hint = 'install npm, or put the folder that holds it into PATH';
    return problem('FN_NPM_FAILED', 'The app has npm dependencies, and there is no npm on this machine', { hint });
  }
  const { exitCode, step, exceeded, refused } = result;
  if (refused !== undefined) {
    const hint = 'have the operator of the server install bubblewrap, or do without dependencies.installScripts';
    return problem('FN_BAD_SETTINGS', `dependencies.installScripts cannot be used: ${refused}`, {
      file: 'fnrun.json',
      hint,
    });
  }
  const output = result.output === '' ? '' : `\n${result.output}`;
  if (exceeded !== null) {
    const hint = 'ask for fewer packages, or have the operator of the server raise "builds" in its config.json';
    return problem('FN_BUILD_LIMIT', `npm ${step} was ended: ${exceeded}${output}`, { hint });
  }
  if (exitCode === null) {
    const hint = 'look at the registry and the network, then build again';
    return problem('FN_NPM_FAILED', `npm ${step} took longer than ${buildLimits.npmInstallMs / 1000} s${output}`, {
      hint,
    });
  }
  if (step === 'rebuild') {
    const hint =
      'an install script of a package failed; on a server it has no network and sees nothing but the packages';
    return problem('FN_NPM_FAILED', `npm rebuild failed with exit code ${exitCode}:${output}`, { hint });
  }
  if (/\bEUSAGE\b/.test(output)) {
    const hint = `run "npm install", and commit ${lockfile}`;
    return problem('FN_LOCKFILE', `npm says that package.json and ${lockfile} do not fit:${output}`, {
      file: lockfile,
      hint,
    });
  }
  const hint = 'try "npm ci" in the app: what it needs there, the server needs too';
  return problem('FN_NPM_FAILED', `npm ci failed with exit code ${exitCode}:${output}`, { hint });
}
