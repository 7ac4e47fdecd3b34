import { runProgram } from '../../run-program.ts';
import { parseBuild, type NginxBuild } from '../version.ts';

/** The nginx of this machine. */
export interface InstalledNginx extends NginxBuild {
  program: string;
}

/** The nginx that is installed here; null when there is none. */
export async function detectNginx(program = 'nginx'): Promise<InstalledNginx | null> {
  const ran = await runProgram(program, ['-V']);
  const build = ran === null ? null : parseBuild(ran.stderr);
  return build === null ? null : { ...build, program };
}
